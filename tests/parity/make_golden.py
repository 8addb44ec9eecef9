#!/usr/bin/env python3
"""Makes tests/data/parity/ again: logits computed by Hugging Face transformers, an independent implementation.

    tests/parity/make_golden.sh [--check]

For every case one file NAME.safetensors: `ids` [T] (the prompt), `positions` [P], `logits` [P, vocab] (fp32,
at those positions) and, as metadata, where they come from. The cases are stories260K (read from
../shared/models, skipped when absent), the demo model, and tiny random models for what these two do not use;
the tiny models' checkpoints lie beside their logits. `--check` compares with the stored files instead of
writing them.
"""

import argparse
import pathlib
import sys

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data" / "parity"
PROMPT = (
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. "
    "One day, she saw a big, red ball near the old tree and wanted to"
)
TINY_VOCABULARY = 48
TINY_TOKENS = 40


def tiny_shape(**changes):
    shape = dict(
        vocab_size=TINY_VOCABULARY,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
    )
    return {**shape, **changes}


def tiny_models():
    """Tiny models that together have both rotary scalings, biases, grouped and single key heads, a head_dim that
    is not hidden_size / heads, separate and tied heads, a sliding window."""
    llama3 = dict(
        rope_type="llama3",
        factor=8.0,
        low_freq_factor=1.0,
        high_freq_factor=4.0,
        original_max_position_embeddings=32,
    )
    llama, mistral = transformers.LlamaConfig, transformers.MistralConfig
    yield "tiny_llama3", llama(
        **tiny_shape(rope_theta=100.0, rope_scaling=llama3, tie_word_embeddings=False)
    )
    yield "tiny_linear", llama(
        **tiny_shape(
            rope_scaling=dict(rope_type="linear", factor=4.0),
            num_key_value_heads=1,
            head_dim=8,
            attention_bias=True,
            mlp_bias=True,
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
        )
    )
    yield "tiny_mistral", mistral(
        **tiny_shape(head_dim=8, sliding_window=5, tie_word_embeddings=False)
    )


def randomise(model, generator):
    """Weights that keep activations of order one and make every bias and norm matter."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            parameter.data = 1 + 0.1 * noise
        elif parameter.dim() == 2 and "embed" not in name:
            parameter.data = noise * 1.5 / parameter.shape[1] ** 0.5
        else:
            parameter.data = 0.3 * noise


def make_tiny(name, config, folder):
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    randomise(model, torch.Generator().manual_seed(len(name)))
    model.save_pretrained(folder / name)
    (folder / name / "generation_config.json").unlink(missing_ok=True)


def evaluate(folder, ids, positions):
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32, attn_implementation="eager"
    )
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, positions].float().contiguous()


def prompt_ids(folder):
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    return [pieces.bos_id()] + pieces.encode(PROMPT)


def cases(checkpoints):
    """Yields name, folder, prompt and positions of every case."""
    stories = ROOT.parent / "shared" / "models" / "stories260K"
    if stories.exists():
        ids = prompt_ids(stories)
        yield "stories260K", stories, ids, list(range(len(ids)))
    else:
        print("stories260K is absent: skipped", file=sys.stderr)
    demo = ROOT / "resources" / "demo"
    ids = prompt_ids(demo)
    yield "demo", demo, ids, [0, 1, len(ids) // 2, len(ids) - 2, len(ids) - 1]
    ids = torch.randint(3, TINY_VOCABULARY, (TINY_TOKENS,), generator=torch.Generator().manual_seed(7))
    for name, _ in tiny_models():
        yield name, checkpoints / name, [1] + ids.tolist(), list(range(TINY_TOKENS + 1))


def origin():
    return {
        "computed_by": f"transformers {transformers.__version__}, torch {torch.__version__}, fp32 on the CPU",
        "command": "tests/parity/make_golden.sh",
    }


def main():
    parser = argparse.ArgumentParser(description="Makes tests/data/parity/ again.")
    parser.add_argument("--check", action="store_true", help="compare with the stored files, write nothing")
    check = parser.parse_args().check
    if not check:
        DATA.mkdir(parents=True, exist_ok=True)
        for name, config in tiny_models():
            make_tiny(name, config, DATA)
    worst = 0.0
    for name, folder, ids, positions in cases(DATA):
        logits = evaluate(folder, ids, positions)
        file = DATA / f"{name}.safetensors"
        if check:
            worst = max(worst, error := (load_file(file)["logits"] - logits).abs().max().item())
            print(f"{name}: largest difference {error:.2e}")
            continue
        tensors = {"ids": torch.tensor(ids), "positions": torch.tensor(positions), "logits": logits}
        save_file(tensors, file, metadata=origin())
        print(f"{name}: {len(positions)} positions of {len(ids)}, logits up to {logits.abs().max():.1f}")
    return 1 if worst > 1e-4 else 0


if __name__ == "__main__":
    sys.exit(main())
