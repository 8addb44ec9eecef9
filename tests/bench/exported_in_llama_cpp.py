"""exported_in_llama_cpp.py DENSE.gguf FILE.gguf ... [--threads 2] [--rounds 5]

How fast llama.cpp decodes models that `ladimo export --gguf` wrote, beside their dense original (ladimo_as_gguf writes it in
the same precision): milliseconds per token of a greedy text after a short prompt. The files take turns, round by round; the
median counts. Beside it stands what the bytes say: tensors of experts count by the share of them that runs. Needs
llama-cpp-python and gguf from PyPI."""

import argparse
import statistics
import time

import gguf
import llama_cpp
import numpy

PROMPT, TOKENS = 16, 64


def bytes_per_token(path):
    """Bytes of weights that a decoded token reads. The embedding is read as the head where that is tied."""
    reader = gguf.GGUFReader(path)
    names = [tensor.name for tensor in reader.tensors]
    arch = reader.fields["general.architecture"].contents()
    count, used = (reader.fields.get(f"{arch}.{key}") for key in ("expert_count", "expert_used_count"))
    share = used.contents() / count.contents() if count else 1
    total = 0
    for tensor in reader.tensors:
        if tensor.name == "token_embd.weight" and "output.weight" in names:
            continue
        total += tensor.n_bytes * (share if "_exps" in tensor.name else 1)
    return total


def decode(model, ids):
    model.reset()
    model.eval(ids)
    started = time.perf_counter()
    for _ in range(TOKENS):
        model.eval([int(numpy.argmax(model.scores[model.n_tokens - 1]))])
    return (time.perf_counter() - started) / TOKENS * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    models = [llama_cpp.Llama(file, n_ctx=256, logits_all=True, verbose=False, n_threads=arguments.threads) for file in arguments.files]
    ids = list(range(100, 100 + PROMPT))
    times = [[] for _ in models]
    for number in range(arguments.rounds + 1):  # the first one warms up
        for model, kept in zip(models, times):
            ms = decode(model, ids)
            if number > 0:
                kept.append(ms)
    dense_ms, dense_bytes = statistics.median(times[0]), bytes_per_token(arguments.files[0])
    for file, kept in zip(arguments.files, times):
        ms, size = statistics.median(kept), bytes_per_token(file)
        print(f"{file}: {ms:.2f} ms/token, speed x {dense_ms / ms:.3f}; {size / 1e6:.0f} MB/token, the bytes say x {dense_bytes / size:.3f}")


main()
