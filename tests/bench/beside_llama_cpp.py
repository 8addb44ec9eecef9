"""beside_llama_cpp.py LADIMO WORK THREADS: see llama_cpp.sh, which lays WORK/smollm2."""
import json
import os
import signal
import statistics
import subprocess
import sys

import llama_cpp

from bare_gguf import write_bare
from gguf_copy import write_copy

program, work, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
root = os.path.dirname(os.path.abspath(__file__)) + "/../.."
rounds, most_prompt_tokens, new_tokens = 5, 512, 64  # the tokens as `ladimo bench` has them


def ours(model, hold):
    """Tokens/s of decoding and of the prompt, and the share of the read bandwidth, as `ladimo bench` measures them."""
    done = subprocess.run([program, "bench", model, *hold, "--threads", str(threads), "--json"], capture_output=True,
                          text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    result = json.loads(done.stdout)
    return (result["decode"]["dense_tokens_per_s"], result["prefill"]["dense_tokens_per_s"],
            result["decode"]["bandwidth_fraction"])


class Theirs:
    """A model in llama.cpp, which is given ids, so that it needs no tokenizer."""

    def __init__(self, file):
        self.model = llama_cpp.llama_model_load_from_file(file.encode(), llama_cpp.llama_model_default_params())
        if not self.model:
            sys.exit(f"llama.cpp does not load {file}.")
        self.prompt_tokens = min(most_prompt_tokens, llama_cpp.llama_model_n_ctx_train(self.model))
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self.prompt_tokens
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = False
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.ids = (llama_cpp.llama_token * self.prompt_tokens)(*(3 + i * 7919 % (vocab - 3) for i in range(self.prompt_tokens)))

    def read(self, first, count):
        ids = (llama_cpp.llama_token * count)(*self.ids[first:first + count])
        if llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(ids, count)) != 0:
            sys.exit("llama.cpp cannot decode.")
        llama_cpp.llama_synchronize(self.context)

    def __call__(self):
        """Tokens/s of decoding and of the prompt, each from an empty context, by llama.cpp's own clock."""
        memory = llama_cpp.llama_get_memory(self.context)
        llama_cpp.llama_memory_clear(memory, True)
        llama_cpp.llama_perf_context_reset(self.context)
        for i in range(new_tokens):
            self.read(i, 1)
        llama_cpp.llama_memory_clear(memory, True)
        self.read(0, self.prompt_tokens)
        times = llama_cpp.llama_perf_context(self.context)
        assert (times.n_eval, times.n_p_eval) == (new_tokens, self.prompt_tokens)
        return 1e3 * times.n_eval / times.t_eval_ms, 1e3 * times.n_p_eval / times.t_p_eval_ms


def compare(name, model, file, hold=()):
    """`model` is what `ladimo` reads with the options `hold`, `file` a GGUF of the same weights."""
    theirs = Theirs(file)
    theirs()
    mine, other = [], []
    for _ in range(rounds):
        mine.append(ours(model, hold))
        other.append(theirs())
    decode, prompt, share = (statistics.median(values) for values in zip(*mine))
    their_decode, their_prompt = (statistics.median(values) for values in zip(*other))
    print(f"{name}: decode {decode:.1f} tokens/s ({share:.0%} of the read bandwidth), llama.cpp {their_decode:.1f}: "
          f"{decode / their_decode:.2f} times; prompt of {theirs.prompt_tokens} {prompt:.0f} tokens/s, llama.cpp "
          f"{their_prompt:.0f}: {prompt / their_prompt:.2f} times", flush=True)


def compare_apart(*how):
    """Compares in a process of its own: llama.cpp crashes with some types of weights on some processors."""
    status = subprocess.run([sys.executable, *sys.argv, *how]).returncode
    if status < 0:
        print(f"{how[0]}: llama.cpp was ended by {signal.Signals(-status).name}", flush=True)
    elif status:
        sys.exit(status)


silent = llama_cpp.llama_log_callback(lambda level, text, data: None)  # named, because llama.cpp keeps only its address
llama_cpp.llama_log_set(silent, None)
if len(sys.argv) > 4:
    name, model, file, *hold = sys.argv[4:]
    compare(name, model, file, hold)
    sys.exit()
print(f"llama.cpp of llama-cpp-python {llama_cpp.__version__}, {llama_cpp.llama_print_system_info().decode().strip()}; "
      f"{threads} threads", flush=True)
for kind, hold in (("BF16", ()), ("F32", ()), ("Q8_0", ("--hold", "q8_0"))):
    path = f"{work}/smollm2/{kind.lower()}.gguf"
    write_copy(f"{work}/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", path, kind)
    compare_apart(f"SmolLM2 {kind}", path, path, *hold)
for name, folder in (("demo", f"{root}/resources/demo"), ("stories260K", f"{root}/../shared/models/stories260K")):
    write_bare(folder, f"{work}/{name}.gguf")
    compare_apart(name, folder, f"{work}/{name}.gguf")
