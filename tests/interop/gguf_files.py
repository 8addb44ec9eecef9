"""Compares how ladimo reads GGUF files with gguf-py, transformers, tokenizers and sentencepiece. tests/interop/gguf.sh
runs it. `ladimo_as_folder` writes what ladimo sees in a GGUF file as a Hugging Face folder; that folder is compared."""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# This file is called like the package that it needs.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import gguf
import numpy as np
import sentencepiece
import torch
import transformers
from transformers.convert_slow_tokenizer import bytes_to_unicode
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType, TokenType
from gguf.quants import dequantize
from safetensors.torch import load_file
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
TYPES = "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS".split()
# Where the fp16 scales of a block lie. One bit of their exponents is cleared, so that none is infinite.
SCALES = {"F32": [3], "F16": [1], "BF16": [1], "Q4_0": [1], "Q4_1": [1, 3], "Q5_0": [1], "Q5_1": [1, 3], "Q8_0": [1],
          "Q2_K": [81, 83], "Q3_K": [109], "Q4_K": [1, 3], "Q5_K": [1, 3], "Q6_K": [209], "IQ4_NL": [1], "IQ4_XS": [1]}
PRE = ("llama-bpe dbrx smaug-bpe qwen2 deepseek-r1-qwen tekken gpt-4o gpt-2 smollm starcoder refact deepseek-llm "
       "deepseek-coder deepseek-v3 default").split()

failures = []


def check(what, good, detail=""):
    print(f"{'same' if good else 'DIFFERENT':>9}  {what}{'' if good else '  ' + str(detail)}")
    if not good:
        failures.append(what)


def as_folder(file, folder):
    done = subprocess.run([BUILD / "bin/ladimo_as_folder", file, folder], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{file}: {done.stderr}")
    return Path(folder)


def bits(tensor):
    return tensor.contiguous().view(torch.uint8)


def equal_tensors(a, b):
    if a.keys() != b.keys():
        return f"names: {sorted(a.keys() ^ b.keys())[:4]}"
    for name in a:
        if a[name].dtype != b[name].dtype or a[name].shape != b[name].shape or not torch.equal(bits(a[name]), bits(b[name])):
            return f"{name}: {a[name].dtype} {tuple(a[name].shape)}, {b[name].dtype} {tuple(b[name].shape)}"
    return ""


def config_of(folder):
    return json.loads((Path(folder) / "config.json").read_text())


# ---- writing GGUF files as llama.cpp's converter does (conversion/llama.py, qwen.py, phi.py, granite.py) -------------

def permuted(weight, heads):
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def write_gguf(model, arch, file, matrix_type, tokenizer=None):
    config = model.config
    writer = gguf.GGUFWriter(file, arch)
    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    rope = config.rope_parameters
    writer.add_type("model")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_file_type(0)
    if arch in ("llama", "granite"):
        writer.add_vocab_size(config.vocab_size)
    rotated = int(head_dim * rope.get("partial_rotary_factor", 1))
    writer.add_rope_dimension_count(rotated)
    if arch == "qwen3" or head_dim * heads != config.hidden_size:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    kind = rope.get("rope_type", "default")
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    elif kind == "llama3":
        frequencies = 1 / rope["rope_theta"] ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        factors = []
        for length in 2 * math.pi / frequencies:
            smooth = (8192 / length - 1) / 3
            factors.append(1 if length < 2048 else rope["factor"] if length > 8192 else 1 / ((1 - smooth) / rope["factor"] + smooth))
        writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    if arch == "phi3":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        writer.add_sliding_window(config.sliding_window or 0)
        if kind == "longrope":
            scale = config.max_position_embeddings / config.original_max_position_embeddings
            writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(config.original_max_position_embeddings)))
            writer.add_tensor("rope_factors_long.weight", np.array(rope["long_factor"], dtype=np.float32))
            writer.add_tensor("rope_factors_short.weight", np.array(rope["short_factor"], dtype=np.float32))
    if arch == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if tokenizer:
        add_pieces(writer, tokenizer)
    names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[arch], config.num_hidden_layers)
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        array = weight.float().numpy()
        if arch in ("llama", "granite") and "q_proj" in name:
            array = permuted(array, heads)
        if arch in ("llama", "granite") and "k_proj" in name:
            array = permuted(array, kv_heads)
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        array = np.ascontiguousarray(array)
        if array.ndim == 1 or matrix_type == "F32":
            writer.add_tensor(new, array)
        else:
            quant = GGMLQuantizationType[matrix_type]
            writer.add_tensor(new, gguf.quants.quantize(array, quant), raw_dtype=quant)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_pieces(writer, file):
    pieces = sentencepiece.SentencePieceProcessor(str(file))
    kinds = []
    for i in range(pieces.vocab_size()):
        kinds.append(TokenType.UNKNOWN if pieces.IsUnknown(i) else TokenType.CONTROL if pieces.IsControl(i)
                     else TokenType.BYTE if pieces.IsByte(i) else TokenType.NORMAL)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.IdToPiece(i).encode() for i in range(pieces.vocab_size())])
    writer.add_token_scores([pieces.GetScore(i) for i in range(pieces.vocab_size())])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


# ---- what is compared ------------------------------------------------------------------------------------------------

def compare_types(work):
    """Random blocks of every type as the weights of one tensor."""
    for name in TYPES:
        elements, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
        columns, rows = 1024, 6
        random = np.random.default_rng(int(GGMLQuantizationType[name]))
        data = random.integers(0, 256, (rows, columns // elements * size), dtype=np.uint8)
        for at in SCALES[name]:
            data.reshape(-1, size)[:, at] &= 0xBF
        file = work / f"{name}.gguf"
        writer = gguf.GGUFWriter(file, "llama")
        for key in ("block_count", "context_length", "embedding_length", "feed_forward_length", "head_count"):
            getattr(writer, f"add_{key}")(1)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_tensor("output.weight", data, raw_dtype=GGMLQuantizationType[name])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        found = load_file(as_folder(file, work / name) / "model.safetensors")["lm_head.weight"]
        wanted = torch.from_numpy(dequantize(data, GGMLQuantizationType[name]).astype(np.float32).reshape(rows, columns))
        if name != "F32":
            wanted = wanted.to(torch.float16 if name == "F16" else torch.bfloat16)
        check(f"{name}: {rows * columns} values", torch.equal(bits(found), bits(wanted)))


SIZES = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=320, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=None)


def rope(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, **more))


def models():
    yield "llama", "llama", transformers.LlamaConfig(**SIZES)
    yield "llama, tied, biases", "llama", transformers.LlamaConfig(**SIZES, tie_word_embeddings=True, attention_bias=True, mlp_bias=True)
    yield "llama, head_dim", "llama", transformers.LlamaConfig(**SIZES, head_dim=32)
    yield "llama, linear", "llama", transformers.LlamaConfig(**SIZES, **rope("linear", rope_theta=10000.0, factor=4.0))
    for factor in (8.0, 32.0):
        yield f"llama, llama3 x{factor:g}", "llama", transformers.LlamaConfig(
            **(SIZES | dict(head_dim=64)), **rope("llama3", rope_theta=500000.0, factor=factor, low_freq_factor=1.0,
                                                  high_freq_factor=4.0, original_max_position_embeddings=8192))
    yield "qwen2", "qwen2", transformers.Qwen2Config(**SIZES)
    yield "qwen2, yarn", "qwen2", transformers.Qwen2Config(
        **SIZES, **rope("yarn", rope_theta=1000000.0, factor=4.0, original_max_position_embeddings=64))
    yield "qwen3", "qwen3", transformers.Qwen3Config(**SIZES, head_dim=32)
    yield "phi3", "phi3", transformers.Phi3Config(**SIZES, original_max_position_embeddings=256)
    factors = [1 + i / 7 for i in range(6)]
    yield "phi3, longrope, partial", "phi3", transformers.Phi3Config(
        **SIZES, original_max_position_embeddings=64,
        **rope("longrope", rope_theta=10000.0, partial_rotary_factor=0.75, short_factor=[f / 2 + 0.5 for f in factors], long_factor=[f * 2 for f in factors],
               original_max_position_embeddings=64))
    yield "granite", "granite", transformers.GraniteConfig(
        **SIZES, embedding_multiplier=12.0, attention_multiplier=0.0078125, residual_multiplier=0.22, logits_scaling=8.0)


def compare_architectures(work):
    """A random model of every architecture, from transformers to GGUF and back: tensors and logits."""
    for number, (what, arch, config) in enumerate(models()):
        torch.manual_seed(number)
        for dtype, matrix_type in ((torch.float32, "F32"), (torch.bfloat16, "BF16")):
            model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="eager").eval()
            for name, weight in model.named_parameters():
                with torch.no_grad():
                    noise = torch.randn(weight.shape) * (0.1 if weight.ndim == 1 else 1.5 / math.sqrt(weight.shape[1]))
                    weight.copy_(noise + (1 if "norm" in name else 0))
            file = work / f"{arch}-{number}-{matrix_type}.gguf"
            write_gguf(model, arch, file, matrix_type)
            folder = as_folder(file, work / f"{arch}-{number}-{matrix_type}")
            wanted = {n: t for n, t in model.state_dict().items() if not (n == "lm_head.weight" and config.tie_word_embeddings)}
            check(f"{what}, {matrix_type}: tensors", not (said := equal_tensors(wanted, load_file(folder / "model.safetensors"))), said)
            again = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager").eval()
            ids = torch.randint(0, 320, (1, 200))
            with torch.no_grad():
                a, b = model(ids).logits, again(ids).logits
            check(f"{what}, {matrix_type}: logits", torch.equal(a, b), float((a - b).abs().max()))


def lines_of_text():
    for file in sorted(ROOT.glob("**/*.md")) + sorted(ROOT.glob("core/*/*.cpp"))[:20]:
        yield from file.read_text(errors="replace").splitlines()
    yield from ("", " ", "  two  spaces ", "\tA tab", "caf\u00e9 \u20ac 5", "\u4f60\u597d", "\U0001f431 cat", "\u0915\u094d\u0937", "a\u00a0b")


def compare_pieces(work):
    tokenizer = ROOT / "resources/demo/tokenizer.model"
    demo = transformers.AutoModelForCausalLM.from_pretrained(ROOT / "resources/demo", dtype=torch.bfloat16)
    file = work / "demo.gguf"
    write_gguf(demo, "llama", file, "BF16", tokenizer)
    folder = as_folder(file, work / "demo")
    check("demo: tensors", not (said := equal_tensors(load_file(ROOT / "resources/demo/model.safetensors"),
                                                      load_file(folder / "model.safetensors"))), said)
    old, new = config_of(ROOT / "resources/demo"), config_of(folder)
    check("demo: config.json", all(new.get(k, v) == v for k, v in old.items()), [k for k in old if new.get(k) != old[k]])
    original, made = (sentencepiece.SentencePieceProcessor(str(f / "tokenizer.model")) for f in (ROOT / "resources/demo", folder))
    lines = list(lines_of_text())
    differing = [line for line in lines if original.Encode(line) != made.Encode(line)]
    check(f"demo: pieces of {len(lines)} lines", not differing, differing[:1])
    check("demo: special pieces", [original.bos_id(), original.eos_id(), original.unk_id()] == [made.bos_id(), made.eos_id(), made.unk_id()])
    return file


def compare_pre_tokenizers(work):
    """Every pre-tokeniser loads in tokenizers and gives back the text."""
    alphabet = sorted(bytes_to_unicode().values())
    for pre in PRE:
        file = work / f"{pre}.gguf"
        writer = gguf.GGUFWriter(file, "llama")
        for key in ("block_count", "context_length", "embedding_length", "feed_forward_length", "head_count"):
            getattr(writer, f"add_{key}")(1)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(["<|begin|>"] + alphabet + ["he"])
        writer.add_token_types([TokenType.CONTROL] + [TokenType.NORMAL] * (len(alphabet) + 1))
        writer.add_token_merges(["h e"])
        writer.add_bos_token_id(0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        tokenizer = Tokenizer.from_file(str(as_folder(file, work / f"pre-{pre}") / "tokenizer.json"))
        text = "He said: the 1234 cats' tails\u2026\r\n  don't, caf\u00e9 \u4f60\u597d <|begin|>x"
        ids = tokenizer.encode(text).ids
        bos = tokenizer.token_to_id("<|begin|>")
        good = tokenizer.decode(ids, skip_special_tokens=False).removeprefix("<|begin|>") == text and bos in ids[1:]
        check(f"pre-tokeniser {pre}", good, ids)


def compare_smollm(work, smollm):
    folder = as_folder(next(smollm.glob("*.gguf")), work / "smollm")
    check("SmolLM2: tensors", not (said := equal_tensors(load_file(smollm / "hf/model.safetensors"), load_file(folder / "model.safetensors"))), said)
    old, new = config_of(smollm / "hf"), config_of(folder)
    check("SmolLM2: config.json", all(new.get(k) == v for k, v in old.items()), [k for k in old if new.get(k) != old[k]])
    old, new = (json.loads((f / "tokenizer.json").read_text()) for f in (smollm / "hf", folder))
    check("SmolLM2: tokenizer.json", old == new)
    settings = [json.loads((f / "tokenizer_config.json").read_text()) for f in (smollm / "hf", folder)]
    keys = ("chat_template", "bos_token", "eos_token", "unk_token", "pad_token")
    check("SmolLM2: tokenizer_config.json", all(settings[0][k] == settings[1][k] for k in keys))


def compare_programs(work, demo):
    """The demo as a folder and as GGUF in `ladimo` itself."""
    program = BUILD / "bin/ladimo"
    def run(*arguments):
        done = subprocess.run([program, *map(str, arguments), "--json", "--threads", "1"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"ladimo {arguments}: {done.stderr}")
        return json.loads(done.stdout)
    folder = ROOT / "resources/demo"
    text = work / "text.txt"
    text.write_text("Once upon a time there was a cat. It saw a dog in the garden.\n\n" * 40)
    a, b = (run("eval", model, "--text", text, "--window", 64, "--tokens", 512) for model in (folder, demo))
    check("demo in ladimo: nll", a["nll"] == b["nll"] and a["tokens"] == b["tokens"], (a["nll"], b["nll"]))
    a, b = (run("generate", model, "--prompt", "Once upon a time", "--max-tokens", 24) for model in (folder, demo))
    check("demo in ladimo: text", a["text"] == b["text"] and a["tokens"] == b["tokens"], (a["text"], b["text"]))
    stories = work / "stories.txt"
    stories.write_text("\n\n".join(f"The {i} cats saw {i * 7} dogs. Then they went home and slept until day {i}." for i in range(900)))
    layers = []
    for model in (folder, demo):
        where = work / f"run-{model.name}"
        run("convert", model, "-o", where, "--text", stories, "--tokens", 4096, "--held-out-tokens", 2048, "--window", 64,
            "--experts", 8, "--layers", "0-1", "--recipe", '{"stage1": {"epochs": 1}, "finish": {"use": "off"}}')
        layers.append([(where / f"layers/{i:03}.safetensors").read_bytes() for i in range(2)])
    check("demo in ladimo: converted layers", layers[0] == layers[1])
    a, b = (run("inspect", model) for model in (folder, demo))
    check("demo in ladimo: format", (a["file_format"], b["file_format"], a["quantisation"], b["quantisation"]) == ("safetensors", "gguf", None, None))


def main():
    global BUILD
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=ROOT / "build/dev")
    parser.add_argument("--smollm", type=Path)
    options = parser.parse_args()
    BUILD = options.build.resolve()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        compare_types(work)
        compare_architectures(work)
        demo = compare_pieces(work)
        compare_pre_tokenizers(work)
        if options.smollm:
            compare_smollm(work, options.smollm)
        if (BUILD / "bin/ladimo-engine").exists():
            compare_programs(work, demo)
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
