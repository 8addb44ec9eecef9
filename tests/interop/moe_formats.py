"""moe_formats.py LADIMO LADIMO_EXPORTED_LOGITS FOLDERS [--only NAME ...] [--formats NAME ...]

Exports the runs under FOLDERS (native_folder.py makes them) in every format with experts, as a folder and as GGUF, and
loads them elsewhere: folders in transformers, by its own classes, GGUF files in llama.cpp. Logits are compared with those
of our own readers; of GGUF files also 64 greedy tokens and the perplexity. See tests/interop.sh.
"""

import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
import transformers

try:
    import llama_cpp
except ImportError:
    llama_cpp = None

FORMATS = ["glm4moe", "granitemoeshared", "mixtral", "qwen2moe"]
TOLERANCE = 1e-3
GREEDY = 64
failures = []


def check(what, good, detail=""):
    print(f"{'same' if good else 'DIFFERENT':>9}  {what}  {detail}", flush=True)
    if not good:
        failures.append(what)


def export(program, run, name, output, gguf):
    """Exports with a fit. Returns the reason where the format has no place for the model."""
    command = [program, "export", run, "--format", name, "--fit", "-o", output, "--json", *(["--gguf", "f32"] if gguf else [])]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode == 0:
        return None
    if "cannot express this" not in done.stderr and "GGUF" not in done.stderr and "llama.cpp" not in done.stderr:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stderr.strip().splitlines()[-2].removeprefix("ladimo: ")


def our_logits(helper, name, model, ids):
    with tempfile.TemporaryDirectory() as folder:
        listed, out = pathlib.Path(folder) / "ids.jsonl", pathlib.Path(folder) / "logits"
        listed.write_text(json.dumps(ids) + "\n")
        subprocess.run([helper, name, model, listed, out], check=True)
        return torch.from_numpy(numpy.fromfile(out, numpy.float32)).view(len(ids), -1)


def perplexity(logits, ids):
    log_p = logits[:-1].double().log_softmax(-1)
    return math.exp(-log_p.gather(1, torch.tensor(ids[1:])[:, None]).mean().item())


def folder_logits(folder, dtype, ids):
    # Grouped products of experts have no fp64.
    exact = dict(experts_implementation="eager") if dtype == torch.float64 else {}
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **exact).eval()
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float()


def compare_folder(what, helper, name, folder, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    check(f"{what}: transformers' own class", not type(model).__module__.startswith("transformers_modules"),
          type(model).__name__)
    ours, theirs = our_logits(helper, name, folder, ids), folder_logits(folder, torch.float32, ids)
    error, rounding = (ours - theirs).abs().max().item(), ""
    if error > TOLERANCE:
        # Scores of a router that differ by rounding alone choose either expert. In fp64 the choice is that of the weights.
        rounding = f", transformers itself is {error:.1e} off in fp32: scores within rounding"
        error = (ours - folder_logits(folder, torch.float64, ids)).abs().max().item()
    check(f"{what}: logits", error < TOLERANCE * max(1.0, theirs.abs().max().item()), f"{error:.1e}{rounding}")


def compare_gguf(what, helper, name, file, ids, positions):
    if llama_cpp is None:
        print(f"  skipped  {what}: llama-cpp-python is not there", flush=True)
        return
    if "longrope" in what:
        print(f"  skipped  {what}: llama.cpp takes the long factors by its context, of 256 tokens at least", flush=True)
        return
    ours = our_logits(helper, name, file, ids)
    model = llama_cpp.Llama(str(file), n_ctx=min(256, positions), logits_all=True, verbose=False, n_threads=2,
                            type_k=llama_cpp.GGML_TYPE_F32, type_v=llama_cpp.GGML_TYPE_F32)
    model.eval(ids)
    theirs = torch.from_numpy(numpy.array(model.scores[: len(ids)]))
    difference = abs(perplexity(ours, ids) - perplexity(theirs, ids)) / perplexity(theirs, ids)
    check(f"{what}: perplexity in llama.cpp", difference < 1e-3, f"{difference:.1e}, logits {(ours - theirs).abs().max():.1e}")
    written, wanted = list(ids[:8]), min(GREEDY, positions - 8)
    model.reset()
    model.eval(written)
    greedy = []
    for _ in range(wanted):
        greedy.append(int(numpy.argmax(model.scores[model.n_tokens - 1])))
        model.eval(greedy[-1:])
    # Of our reader the whole text at once: a token is greedy where it is the most likely after those before it.
    again = our_logits(helper, name, file, written + greedy)[len(written) - 1 : -1]
    best = again.max(1).values
    chosen = again.gather(1, torch.tensor(greedy)[:, None])[:, 0]
    check(f"{what}: {wanted} greedy tokens", bool((best - chosen < 1e-3 * best.abs().clamp_min(1)).all()),
          f"{int((again.argmax(1) == torch.tensor(greedy)).sum())} equal")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("helper")
    parser.add_argument("folders", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", help="models")
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    print(f"transformers {transformers.__version__}, llama-cpp-python {llama_cpp.__version__ if llama_cpp else 'absent'}")
    for case in sorted(arguments.folders.iterdir()):
        if not (case / "run" / "tradeoff.json").exists() or (arguments.only and case.name not in arguments.only):
            continue
        config = json.loads((case / "dense" / "config.json").read_text())
        positions = config["max_position_embeddings"]
        ids = json.loads((case / "ids.json").read_text())[:positions]
        for name in arguments.formats:
            for gguf in (False, True):
                what = f"{case.name}, {name}{', GGUF' if gguf else ''}"
                output = case / (f"{name}.gguf" if gguf else name)
                shutil.rmtree(output, ignore_errors=True)
                output.unlink(missing_ok=True) if output.is_file() else None
                if reason := export(arguments.program, case / "run", name, output, gguf):
                    print(f"  refused  {what}: {reason}", flush=True)
                    continue
                if gguf:
                    compare_gguf(what, arguments.helper, name, output, ids, positions)
                else:
                    compare_folder(what, arguments.helper, name, output, ids)
                shutil.rmtree(output) if output.is_dir() else output.unlink()
    print(f"{len(failures)} different" if failures else "all the same")
    sys.exit(1 if failures else 0)


main()
