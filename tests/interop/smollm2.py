"""smollm2.py LADIMO WORK TEXT: see smollm2.sh, which lays WORK/smollm2."""
import json
import os
import subprocess
import sys

import torch
import transformers

from gguf_copy import write_copy

program, work, text_file = sys.argv[1:4]
folder = f"{work}/smollm2/hf"
quantised = f"{work}/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
window, windows = 1024, 16


def ladimo(*arguments):
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def documents(text):
    """Plain text as our corpus cuts it: a document ends at a blank line."""
    return ["\n".join(line for line in part) for part in blocks(text.split("\n"))]


def blocks(lines):
    block = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def compare_nll():
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    stream = []
    for document in documents(open(text_file, encoding="utf-8").read()):
        stream += tokenizer.encode(document + "\n", add_special_tokens=False)
        if len(stream) >= window * windows:
            break
    ids = torch.tensor(stream[:window * windows]).view(windows, window)
    total = 0.0
    with torch.no_grad():
        for row in ids:
            logits = model(row[None]).logits[0, :-1].float()
            total += torch.nn.functional.cross_entropy(logits, row[1:], reduction="sum").double().item()
    theirs = total / (windows * (window - 1))
    text = f"{work}/head.txt"
    open(text, "w").write(open(text_file, encoding="utf-8").read())
    good = True
    for name in (folder, quantised):
        ours = ladimo("eval", name, "--text", text, "--tokens", str(windows * window), "--window", str(window))["nll"]
        good = good and abs(ours - theirs) < 1e-4
        print(f"nll of {windows} windows of {window}: {name.rsplit('/', 1)[-1]} {ours:.7f}, transformers {theirs:.7f}, "
              f"difference {ours - theirs:+.1e}", flush=True)
    return good


def compare_greedy():
    import xllamacpp
    f32 = f"{work}/smollm2/f32.gguf"
    write_copy(quantised, f32, "F32")
    good = True
    for path in (f32, quantised):
        parameters = xllamacpp.CommonParams()
        parameters.model.path = path
        parameters.n_ctx = 1024
        parameters.warmup = False
        parameters.cpuparams.n_threads = 2
        server = xllamacpp.Server(parameters)
        for prompt in ("The capital of France is", "Once upon a time, there was", "def fibonacci(n):"):
            answer = server.handle_completions({"prompt": prompt, "max_tokens": 64, "temperature": 0, "top_k": 1})
            theirs = answer["choices"][0]["text"]
            ours = ladimo("generate", path, "--prompt", prompt, "--max-tokens", "64")["text"]
            ours = ours[len(prompt):] if ours.startswith(prompt) else ours
            same = ours.strip() == theirs.strip()
            good = good and (same or path == quantised)
            print(f"greedy, {path.rsplit('/', 1)[-1]}, {prompt!r}: {'equal' if same else 'DIFFERENT'}", flush=True)
            if not same:
                common = os.path.commonprefix([ours.strip(), theirs.strip()])
                print(f"  after {common[-40:]!r}\n  ours   {ours.strip()[len(common):][:60]!r}\n  theirs {theirs.strip()[len(common):][:60]!r}")
    return good


sys.exit(0 if compare_nll() & compare_greedy() else 1)
