#!/usr/bin/env python3
"""Compares ladimo with Hugging Face transformers, family by family and rope type by rope type.

    tests/interop/families.sh [--build build/dev] [--model FOLDER --text FILE]
    tests/interop/families.sh --golden

For every case a tiny checkpoint is written whose weights follow from the names of its tensors. The logits of the
whole text in one pass are compared with those of transformers (eager attention, fp32), and so are those of the text
token by token: they must agree within 1e-4. Token by token, transformers' own decoding with a cache is the measure,
which differs from one pass where dynamic or longrope change their frequencies on the way. With `--model` the nll of a
real model is compared too, on the first 16 windows of 1,024 tokens of a text; ladimo gets the token ids. Needs the
target ladimo_logits.

`--golden` writes tests/data/parity/families.json instead: for every case the config, the tensors, the ids and the
logits at some positions.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
import transformers
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "parity" / "families.json"
TOLERANCE = 1e-4
VOCABULARY = 40
SHORT, LONG = 14, 40  # tokens of a text; the stretched models were "trained" on 16 positions
WINDOWS, WINDOW = 16, 1024


def shape(architecture, model_type, **changes):
    config = dict(
        architectures=[architecture],
        model_type=model_type,
        vocab_size=VOCABULARY,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        rope_theta=100.0,
        tie_word_embeddings=False,
    )
    return {key: value for key, value in {**config, **changes}.items() if value is not ...}


def llama(**changes):
    return shape("LlamaForCausalLM", "llama", **changes)


def qwen2(**changes):
    return shape("Qwen2ForCausalLM", "qwen2", **changes)


def phi3(**changes):
    return shape("Phi3ForCausalLM", "phi3", **changes)


def granite(**changes):
    return shape("GraniteForCausalLM", "granite", **changes)


LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
THREE_SHORT, THREE_LONG = [1.0, 1.1, 1.25], [1.0, 2.5, 4.0]
LONGROPE = dict(rope_type="longrope", short_factor=THREE_SHORT, long_factor=THREE_LONG)
TRAINED_ON_16 = dict(original_max_position_embeddings=16)
MULTIPLIERS = dict(
    embedding_multiplier=3.0, attention_multiplier=0.25, residual_multiplier=0.4, logits_scaling=2.5
)

# name, config, tokens
CASES = [
    ("llama", llama(num_key_value_heads=..., tie_word_embeddings=True), SHORT),
    ("llama_biases", llama(attention_bias=True, mlp_bias=True, head_dim=8, rms_norm_eps=1e-3), SHORT),
    ("llama_linear_old", llama(rope_scaling=dict(type="linear", factor=4.0)), LONG),
    ("llama_llama3", llama(rope_scaling={**LLAMA3, **TRAINED_ON_16}), LONG),
    (
        "llama_rope_parameters",
        llama(rope_theta=..., rope_parameters=dict(rope_type="default", rope_theta=50.0)),
        SHORT,
    ),
    (
        "llama_dynamic_short",
        llama(max_position_embeddings=16, rope_scaling=dict(type="dynamic", factor=3.0)),
        SHORT,
    ),
    ("llama_dynamic", llama(max_position_embeddings=16, rope_scaling=dict(type="dynamic", factor=3.0)), LONG),
    ("llama_yarn", llama(rope_scaling=YARN), LONG),
    (
        "llama_yarn_16",
        llama(max_position_embeddings=16, rope_scaling={**YARN, "truncate": False}, head_dim=16),
        LONG,
    ),
    (
        "llama_yarn_mscale",
        llama(
            rope_scaling={**YARN, "mscale": 0.7, "mscale_all_dim": 1.3, "beta_fast": 4, "beta_slow": 0.5},
            head_dim=16,
        ),
        LONG,
    ),
    ("llama_yarn_factor", llama(rope_scaling={**YARN, "attention_factor": 0.8}), LONG),
    ("llama_longrope_short", llama(rope_scaling={**LONGROPE, **TRAINED_ON_16}), SHORT),
    ("llama_longrope", llama(rope_scaling={**LONGROPE, **TRAINED_ON_16, "factor": 4.0}), LONG),
    ("mistral_window", shape("MistralForCausalLM", "mistral", head_dim=8, sliding_window=5), LONG),
    ("qwen2", qwen2(use_sliding_window=False, sliding_window=5, max_window_layers=1), LONG),
    ("qwen2_window_above", qwen2(use_sliding_window=True, sliding_window=5, max_window_layers=1), LONG),
    (
        "qwen2_yarn",
        qwen2(max_position_embeddings=16, rope_scaling=dict(type="yarn", factor=4.0, **TRAINED_ON_16)),
        LONG,
    ),
    ("qwen3", shape("Qwen3ForCausalLM", "qwen3", head_dim=8, tie_word_embeddings=True), SHORT),
    (
        "qwen3_layer_types",
        shape(
            "Qwen3ForCausalLM",
            "qwen3",
            head_dim=8,
            attention_bias=True,
            use_sliding_window=True,
            sliding_window=5,
            layer_types=["sliding_attention", "full_attention"],
        ),
        LONG,
    ),
    ("phi3", phi3(sliding_window=9), LONG),
    (
        "phi3_longrope_short",
        phi3(rope_scaling={**LONGROPE, "rope_type": ..., "type": "yarn"}, **TRAINED_ON_16),
        SHORT,
    ),
    (
        "phi3_partial_longrope",
        phi3(
            hidden_size=32,
            partial_rotary_factor=0.75,
            rope_scaling={**LONGROPE, "rope_type": ..., "type": "longrope"},
            **TRAINED_ON_16,
        ),
        LONG,
    ),
    (
        "phi3_attention_factor",
        phi3(
            hidden_size=32,
            partial_rotary_factor=0.75,
            rope_scaling={**LONGROPE, "attention_factor": 1.2},
            **TRAINED_ON_16,
        ),
        LONG,
    ),
    ("granite", granite(tie_word_embeddings=True, **MULTIPLIERS), SHORT),
    ("granite_defaults", granite(attention_bias=True, mlp_bias=True), SHORT),
]


def noise(name, count):
    """tests/support/formula_model.h, formula_noise()."""
    with numpy.errstate(over="ignore"):
        start = 2166136261
        for byte in name.encode():
            start = ((start ^ byte) * 16777619) & 0xFFFFFFFF
        h = numpy.uint32(start) + numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9E3779B9)
        h = (h ^ (h >> 16)) * numpy.uint32(0x85EBCA6B)
        h = (h ^ (h >> 13)) * numpy.uint32(0xC2B2AE35)
        h ^= h >> 16
    return (h >> 8).astype(numpy.float64) / (1 << 23) - 1


def weights(name, sizes):
    """tests/support/formula_model.h, formula_weights()."""
    norm = name.endswith("norm.weight")
    matrix = len(sizes) == 2 and not name.endswith("embed_tokens.weight")
    scale = 0.2 if norm else 2.5 / sizes[1] ** 0.5 if matrix else 0.6
    values = (1.0 if norm else 0.0) + scale * noise(name, int(numpy.prod(sizes)))
    return torch.from_numpy(values.astype(numpy.float32)).view(*sizes)


def without_dots(config):
    """Drops the entries that a case leaves out."""
    if isinstance(config, dict):
        return {key: without_dots(value) for key, value in config.items() if value is not ...}
    return config


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def write_checkpoint(folder, config):
    """Writes config.json and the weights. Returns a list of [name, shape]."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    model = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))
    tied = set(model.all_tied_weights_keys)
    shapes = [[name, list(t.shape)] for name, t in model.state_dict().items() if name not in tied]
    tensors = {name: weights(name, sizes) for name, sizes in shapes}
    save_file(tensors, folder / "model.safetensors", metadata=dict(format="pt"))  # which transformers 4 asks for
    return shapes


def text(tokens):
    ids = torch.randint(3, VOCABULARY, (tokens - 1,), generator=torch.Generator().manual_seed(7))
    return [1] + ids.tolist()


def logits_of(folder, ids):
    with torch.no_grad():
        return load(folder)(torch.tensor([ids]), use_cache=False).logits[0].float()


def stepwise_logits_of(folder, ids):
    model, cache, logits = load(folder), transformers.DynamicCache(), []
    with torch.no_grad():
        for i in ids:
            logits.append(
                model(torch.tensor([[i]]), past_key_values=cache, use_cache=True).logits[0, 0].float()
            )
    return torch.stack(logits)


def write_golden():
    cases = []
    for name, config, tokens in CASES:
        config = without_dots(config)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            tensors = write_checkpoint(folder, config)
            ids = text(tokens)
            positions = [0, tokens // 2, tokens - 2, tokens - 1]
            logits = logits_of(folder, ids)[positions]
        cases.append(
            dict(
                name=name,
                config=config,
                tensors=tensors,
                ids=ids,
                positions=positions,
                logits=[round(v, 5) for v in logits.flatten().tolist()],
            )
        )
        print(f"{name}: logits up to {logits.abs().max():.1f}")
    origin = f"transformers {transformers.__version__}, torch {torch.__version__}, fp32 on the CPU, eager attention"
    head = json.dumps({"computed_by": origin, "command": "tests/interop/families.sh --golden"}, indent=1)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    GOLDEN.write_text(head[:-2] + ',\n "cases": [\n' + lines + "\n]}\n")


def ours(helper, folder, texts, *how):
    ids = folder / "ids.jsonl"
    ids.write_text("".join(json.dumps(t) + "\n" for t in texts))
    return subprocess.run([helper, folder, ids, *how], check=True, capture_output=True, text=True).stdout


def compare(helper):
    worst = 0.0
    for name, config, tokens in CASES:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write_checkpoint(folder, without_dots(config))
            ids = text(tokens)
            expected = logits_of(folder, ids).numpy(), stepwise_logits_of(folder, ids).numpy()
            ours(helper, folder, [ids], folder / "out")
            found = numpy.fromfile(folder / "out", dtype=numpy.float32).reshape(2, tokens, VOCABULARY)
        errors = [float(abs(found[i] - expected[i]).max()) for i in range(2)]
        worst = max(worst, *errors)
        print(f"{name}: one pass {errors[0]:.1e}, token by token {errors[1]:.1e}")
    return worst


def compare_nll(helper, model_folder, file):
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    ids = tokenizer(file.read_text(), add_special_tokens=False)["input_ids"][: WINDOWS * WINDOW]
    windows = [ids[i : i + WINDOW] for i in range(0, len(ids) - WINDOW + 1, WINDOW)]
    model = load(model_folder)
    expected = []
    for window in windows:
        with torch.no_grad():
            t = torch.tensor([window])
            expected.append(
                torch.nn.functional.cross_entropy(model(t).logits[0, :-1].double(), t[0, 1:]).item()
            )
    with tempfile.TemporaryDirectory() as folder:
        listed = pathlib.Path(folder) / "ids.jsonl"
        listed.write_text("".join(json.dumps(w) + "\n" for w in windows))
        lines = subprocess.run(
            [helper, model_folder, listed, "--nll"], check=True, capture_output=True, text=True
        )
    found = [float(line) for line in lines.stdout.split()]
    worst = max(abs(a - b) for a, b in zip(expected, found, strict=True))
    print(
        f"{model_folder.name}: {len(windows)} windows, mean nll {numpy.mean(found):.6f}, "
        f"transformers {numpy.mean(expected):.6f}, largest difference of a window {worst:.1e}"
    )
    return worst


def main():
    parser = argparse.ArgumentParser(description="Compares ladimo with transformers.")
    parser.add_argument("--golden", action="store_true", help="make tests/data/parity/families.json again")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "dev", help="build folder")
    parser.add_argument("--model", type=pathlib.Path, help="folder of a real model")
    parser.add_argument("--text", type=pathlib.Path, help="text for the real model")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=FutureWarning)  # past_key_values, until 5.40
    transformers.logging.disable_progress_bar()
    if arguments.golden:
        write_golden()
        return 0
    helper = arguments.build.resolve() / "bin" / "ladimo_logits"
    if not helper.exists():
        print(f"There is no {helper}. Build the target ladimo_logits.", file=sys.stderr)
        return 2
    worst = compare(helper)
    if arguments.model:
        worst = max(worst, compare_nll(helper, arguments.model, arguments.text))
    print(f"largest difference {worst:.1e}")
    return 0 if worst < TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
