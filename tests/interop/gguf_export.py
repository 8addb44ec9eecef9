"""Compares the GGUF files that ladimo writes with gguf-py, transformers and llama.cpp. tests/interop/gguf_export.sh
runs it. `ladimo_as_gguf` writes dense models: tensors, tokenizer and keys are those of every GGUF file that is exported;
experts are compared elsewhere."""

import argparse
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

# gguf_files.py here is no package, but this folder must not hide any.
sys.path = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]

import gguf
import llama_cpp
import numpy as np
import sentencepiece
import torch
import transformers
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

ROOT = Path(__file__).resolve().parents[2]
SIZES = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
             max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=None)
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
failures = []
quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
llama_cpp.llama_log_set(quiet, None)


def check(what, good, detail=""):
    print(f"{'same' if good else 'DIFFERENT':>9}  {what}{'  ' + str(detail) if detail != '' else ''}", flush=True)
    if not good:
        failures.append(what)


def as_gguf(model, file, precision, *more):
    done = subprocess.run([PROGRAM, model, file, precision, *map(str, more)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{model}: {done.stderr}")
    return done.stdout.split("\n")[:-1]


def lines_of_text():
    for file in sorted(ROOT.glob("docs/*.md")) + sorted(ROOT.glob("core/*/*.cpp"))[:8]:
        yield from file.read_text().splitlines()
    yield from ("", "  two  spaces ", "\tA tab", "caf\u00e9 \u20ac 5", "\u4f60\u597d, 12345 \u0661\u0662", "\U0001f431 cat",
                "\u0915\u094d\u0937", "He's I'LL we've 'RE", "end  \n\n  of\r\nlines \n", "x_y==3.14;//!?")


# ---- tokenizers ------------------------------------------------------------------------------------------------------

def byte_level(kind):
    """A trained byte-level tokenizer as the families have it."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama-bpe"))
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    if kind == "smollm":
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    elif kind == "gpt-2":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        expression = Regex(LLAMA3 if kind == "llama-bpe" else QWEN2)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(expression, "isolated"), plain])
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|start|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=900, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(lines_of_text(), trainer)
    if kind == "llama-bpe":
        tokenizer.post_processor = processors.TemplateProcessing(single="<|start|> $A", special_tokens=[("<|start|>", 0)])
    tokenizer.add_tokens(["<tool call>"])
    return tokenizer


def lay_tokenizer(folder, kind):
    if kind == "model":
        (folder / "tokenizer.model").write_bytes((ROOT / "resources/demo/tokenizer.model").read_bytes())
        return
    if kind == "model as json":
        fast = transformers.AutoTokenizer.from_pretrained(slow_folder(folder))
        fast.save_pretrained(folder)
        (folder / "tokenizer.model").unlink(missing_ok=True)
        return
    byte_level(kind).save(str(folder / "tokenizer.json"))
    named = {"bos_token": "<|start|>"} if kind == "llama-bpe" else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"eos_token": "<|im_end|>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": "{{ messages[0].content }}", **named}))


def slow_folder(folder):
    slow = folder / "slow"
    slow.mkdir()
    (slow / "tokenizer.model").write_bytes((ROOT / "resources/demo/tokenizer.model").read_bytes())
    (slow / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "legacy": True}))
    return slow


def ids_of_transformers(folder, kind):
    if kind == "model":
        pieces = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
        return pieces.Encode
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return lambda line: tokenizer.encode(line, add_special_tokens=False).ids


def compare_tokens(what, folder, kind, llm):
    encode = ids_of_transformers(folder, kind)
    pieces = kind.startswith("model")
    # llama.cpp puts a space before every text of pieces, Hugging Face not before one that has one.
    lines = [line for line in lines_of_text() if not (pieces and line.startswith(" ")) and line]
    differing = [line for line in lines if encode(line) != llm.tokenize(line.encode(), add_bos=False, special=True)]
    check(f"{what}: ids of {len(lines)} lines in llama.cpp", not differing,
          [(line, encode(line), llm.tokenize(line.encode(), add_bos=False, special=True)) for line in differing[:2]] if differing else "")
    if kind == "llama-bpe":
        check(f"{what}: BOS", llm.tokenize(b"a b", add_bos=True)[0] == 0)
    if not pieces:
        text = "<|im_start|>user <tool call>x<|im_end|>\n"
        check(f"{what}: added tokens", encode(text) == llm.tokenize(text.encode(), add_bos=False, special=True))


# ---- models ----------------------------------------------------------------------------------------------------------

def rope(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **more))


def cases():
    """What, architecture in GGUF, configuration, tokenizer."""
    t = transformers
    llama3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)
    yield "Llama, tied", "llama", t.LlamaConfig(**SIZES, vocab_size=4096, tie_word_embeddings=True), "model"
    yield "Llama, rows that pad", "llama", t.LlamaConfig(**SIZES, vocab_size=4100), "model as json"
    yield "Llama with heads of 32", "llama", t.LlamaConfig(**SIZES, vocab_size=910, head_dim=32), "smollm"
    yield "Llama 3", "llama", t.LlamaConfig(**SIZES, vocab_size=910, **llama3), "llama-bpe"
    yield "Llama, linear", "llama", t.LlamaConfig(**SIZES, vocab_size=910, **rope("linear", factor=2.0)), "gpt-2"
    yield "Llama, yarn", "llama", t.LlamaConfig(**SIZES, vocab_size=910, **rope("yarn", factor=4.0, original_max_position_embeddings=64)), "gpt-2"
    yield "Llama, longrope", "llama", t.LlamaConfig(**SIZES, vocab_size=910, **rope(
        "longrope", factor=4.0, original_max_position_embeddings=64, short_factor=[1.0 + i / 8 for i in range(8)],
        long_factor=[1.0 + i for i in range(8)])), "gpt-2"
    yield "Llama with biases", "llama", t.LlamaConfig(**SIZES, vocab_size=910, attention_bias=True, mlp_bias=True), "smollm"
    yield "Mistral", "llama", t.MistralConfig(**SIZES, vocab_size=4096, sliding_window=None), "model"
    yield "Qwen2", "qwen2", t.Qwen2Config(**SIZES, vocab_size=910), "qwen2"
    yield "Qwen2, yarn", "qwen2", t.Qwen2Config(**SIZES, vocab_size=910, **rope("yarn", factor=4.0, original_max_position_embeddings=64)), "qwen2"
    yield "Qwen3", "qwen3", t.Qwen3Config(**SIZES, vocab_size=910, head_dim=32, tie_word_embeddings=True), "qwen2"
    yield "Granite", "granite", t.GraniteConfig(**SIZES, vocab_size=910, embedding_multiplier=12.0, attention_multiplier=0.2,
                                                residual_multiplier=0.22, logits_scaling=8.0), "smollm"


def random_model(config, seed):
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    for name, weight in model.named_parameters():
        with torch.no_grad():
            noise = torch.randn(weight.shape) * (0.1 if weight.ndim == 1 else 1.5 / weight.shape[1] ** 0.5)
            weight.copy_((noise + (1 if "norm" in name else 0)).bfloat16())
    return model


def compare_tensors(what, arch, file, model, precision):
    """Every tensor as gguf-py quantises it, under the name that it gives."""
    config = model.config
    reader = gguf.GGUFReader(file)
    found = {tensor.name: tensor for tensor in reader.tensors}
    names = gguf.get_tensor_name_map({v: k for k, v in gguf.MODEL_ARCH_NAMES.items()}[arch], config.num_hidden_layers)
    wrong, known = [], {name for name in found if name.startswith("rope_")}
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        array = weight.float().numpy()
        heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads if "k_proj" in name else 0
        if heads and arch in ("llama", "granite"):
            array = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        known.add(new)
        kind = "F32" if array.ndim == 1 else precision
        tensor = found.get(new)
        wanted = quantize(np.ascontiguousarray(array), GGMLQuantizationType[kind])
        if tensor is None or tensor.tensor_type.name != kind or tuple(reversed(tensor.shape)) != array.shape or \
                not np.array_equal(tensor.data.view(np.uint8).reshape(-1), wanted.view(np.uint8).reshape(-1)):
            wrong.append(new)
    check(f"{what}, {precision}: {len(known)} tensors as gguf-py makes them", not wrong and known == set(found), wrong or "")


def load(file, **more):
    return llama_cpp.Llama(model_path=str(file), n_ctx=0, logits_all=True, verbose=False, n_threads=2, type_k=0, type_v=0, **more)


# The greatest difference in F32, as a share of the greatest logit; else the root mean square as a share of that of logits.
MOST = {"F32": 1e-4, "F16": 0.01, "BF16": 0.05, "Q8_0": 0.15}


def compare_logits(what, model, llm, precision):
    ids = torch.randint(3, 300, (1, 150))
    with torch.no_grad():
        wanted = model(ids).logits[0].float().numpy()
    llm.reset()
    llm.eval(ids[0].tolist())
    found = llm.scores[:ids.shape[1], :wanted.shape[1]]
    size = (lambda values: float(np.abs(values).max())) if precision == "F32" else (lambda values: float(np.sqrt(np.mean(values**2))))
    share = size(found - wanted) / size(wanted)
    check(f"{what}, {precision}: logits of 150 tokens in llama.cpp", share < MOST[precision], f"{share:.1e}")


def compare_greedy(what, model, llm, ids, count):
    wanted = []
    with torch.no_grad():
        for _ in range(count):
            wanted.append(int(model(torch.tensor([ids + wanted])).logits[0, -1].argmax()))
    llm.reset()
    found, rest = [], ids
    for _ in range(count):
        llm.eval(rest)
        rest = [int(np.argmax(llm.scores[llm.n_tokens - 1]))]
        found += rest
    check(f"{what}: {count} greedy tokens in llama.cpp", found == wanted, "" if found == wanted else (found, wanted))


def compare_models(work):
    for number, (what, arch, config, kind) in enumerate(cases()):
        folder = work / str(number)
        model = random_model(config, number)
        copy.deepcopy(model).bfloat16().save_pretrained(folder)  # that rounds the rotary frequencies too
        lay_tokenizer(folder, kind)
        for precision in ("F32", "F16", "BF16", "Q8_0"):
            [file] = as_gguf(folder, work / f"{number}-{precision}.gguf", precision)
            compare_tensors(what, arch, file, model, precision)
            llm = load(file)
            compare_logits(what, model, llm, precision)
            if precision == "F32":
                # llama.cpp takes the factors for long texts where the context may become long.
                if "longrope" not in what:
                    compare_greedy(f"{what}, {precision}", model, llm, [5, 6, 7, 8], 24)
                compare_tokens(what, folder, kind, llm)
            if precision == "F32" and kind == "smollm":
                check(f"{what}: chat template", llm.metadata["tokenizer.chat_template"] == "{{ messages[0].content }}")
        parts = as_gguf(folder, work / f"{number}-split.gguf", "F32", 100_000)
        check(f"{what}: {len(parts)} files are more than 2", len(parts) > 2)
        compare_logits(f"{what}, split", model, load(parts[0]), "F32")


def quantised(file, out, kind):
    """llama.cpp's own quantise tool."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = kind
    params.nthread = 2
    if llama_cpp.llama_model_quantize(str(file).encode(), str(out).encode(), params) != 0:
        raise SystemExit(f"llama.cpp does not quantise {file}.")


def compare_smollm(work, folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    chat_template = json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    prompt = "The capital of France is"
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    for precision in ("F32", "BF16", "F16", "Q8_0"):
        [file] = as_gguf(folder, work / f"real-{precision}.gguf", precision)
        llm = load(file)
        check(f"SmolLM2, {precision}: ids of the prompt", llm.tokenize(prompt.encode(), add_bos=False) == ids)
        if precision == "Q8_0":
            compare_logits("SmolLM2", model, llm, precision)
        else:
            compare_greedy(f"SmolLM2, {precision}", model, llm, ids, 32)
    wrong = [line for line in lines_of_text() if line and tokenizer.encode(line, add_special_tokens=False).ids !=
             llm.tokenize(line.encode(), add_bos=False, special=True)]
    check(f"SmolLM2: ids of lines", not wrong, wrong[:2] or "")
    check(f"SmolLM2: chat template", llm.metadata["tokenizer.chat_template"] == chat_template)
    quantised(work / "real-BF16.gguf", work / "real-Q4_K_M.gguf", llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M)
    small = llama_cpp.Llama(model_path=str(work / "real-Q4_K_M.gguf"), n_ctx=256, verbose=False, n_threads=2)
    text = small.create_completion(prompt, max_tokens=12, temperature=0)["choices"][0]["text"]
    check(f"SmolLM2: llama.cpp's Q4_K_M of it answers", "Paris" in text, repr(text))


def main():
    global PROGRAM
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=Path, default=ROOT / "build/dev/bin/ladimo_as_gguf")
    parser.add_argument("--smollm", type=Path)
    options = parser.parse_args()
    PROGRAM = options.program.resolve()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        compare_models(Path(folder))
        if options.smollm:
            compare_smollm(Path(folder), options.smollm / "hf")
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
