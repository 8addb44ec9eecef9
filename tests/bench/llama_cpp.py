"""llama_cpp.py LADIMO FOLDER THREADS: see llama_cpp.sh, which lays FOLDER."""
import json
import statistics
import subprocess
import sys

import xllamacpp

from gguf_copy import write_copy

program, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
rounds, prompt_tokens, new_tokens = 5, 512, 64


def ours(path, hold):
    """Tokens/s of decoding and of the prompt, and the share of the read bandwidth, as `ladimo bench` measures them."""
    done = subprocess.run([program, "bench", path, *hold, "--threads", str(threads), "--json"], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    result = json.loads(done.stdout)
    return (result["decode"]["dense_tokens_per_s"], result["prefill"]["dense_tokens_per_s"],
            result["decode"]["bandwidth_fraction"])


def load(path):
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx = 1024
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    return xllamacpp.Server(parameters)


def theirs(server):
    """From an empty context, as ours: a short prompt and new tokens; then a long prompt that the cache does not know."""
    theirs.calls += 1
    # The calls differ in their first words, so that nothing is read from the cache of earlier ones.
    short = server.handle_completions({"prompt": f"{theirs.calls}", "max_tokens": new_tokens, "temperature": 0,
                                       "ignore_eos": True, "cache_prompt": False})
    words = " ".join(["the"] * (prompt_tokens - 2))
    long = server.handle_completions({"prompt": f"{theirs.calls} {words}", "max_tokens": 1, "cache_prompt": False})
    return short["timings"]["predicted_per_second"], long["timings"]["prompt_per_second"]


theirs.calls = 0

print(f"llama.cpp: xllamacpp {xllamacpp.__version__}, {xllamacpp.get_system_info().strip()}; {threads} threads")
for kind, hold in (("BF16", []), ("F32", []), ("Q8_0", ["--hold", "q8_0"])):
    path = f"{folder}/{kind.lower()}.gguf"
    write_copy(f"{folder}/SmolLM2-135M-Instruct.Q4_1.gguf", path, kind)
    server = load(path)
    theirs(server)
    mine, other = [], []
    for _ in range(rounds):
        mine.append(ours(path, hold))
        other.append(theirs(server))
    decode, prompt, share = (statistics.median(values) for values in zip(*mine))
    their_decode, their_prompt = (statistics.median(values) for values in zip(*other))
    print(f"{kind}: decode {decode:.1f} tokens/s ({share:.0%} of the read bandwidth), llama.cpp {their_decode:.1f}: "
          f"{decode / their_decode:.2f} times; prompt of {prompt_tokens} {prompt:.0f} tokens/s, llama.cpp "
          f"{their_prompt:.0f}: {prompt / their_prompt:.2f} times", flush=True)
