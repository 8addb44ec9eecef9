"""native_folder.py make LADIMO LADIMO_LOGITS FOLDERS [SMOLLM2]
native_folder.py check FOLDERS

`make` converts a tiny model of every family, and SmolLM2 where it is given, and exports it under several policies. Beside
every folder lie our program's logits. `check` loads the folders in the transformers that is installed and compares.
See native_folder.sh.
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = ROOT.parent / "shared" / "text" / "stories-train.txt"
TOLERANCE = 1e-3
CASES = ["llama", "llama_biases", "llama_llama3", "llama_rope_parameters", "llama_yarn", "mistral_window", "qwen2"]
CASES += ["qwen2_window_above", "qwen3", "qwen3_layer_types", "phi3", "phi3_longrope_short", "granite", "granite_defaults"]
RECIPE = {"stage1": {"epochs": 1}, "finish": {"use": "on", "epochs": 1}}
QUICK = {"stage1": {"epochs": 1}, "finish": {"use": "off"}, "sensitivity": "estimated"}
# Here one bias stands for all compensation, routers are linear and the weights do not move.
PLAIN = {"stage1": {"epochs": 1, "compensation": False, "router_ranks": []}, "finish": {"use": "off"}}

failures = []


def check(what, good, detail=""):
    print(f"{'same' if good else 'DIFFERENT':>9}  {what}  {detail}", flush=True)
    if not good:
        failures.append(what)


# ---- make


def ladimo(program, *arguments):
    done = subprocess.run([program, *map(str, arguments), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"ladimo {' '.join(map(str, arguments))}: {done.stderr}")
    return json.loads(done.stdout)


def write_tiny(name, folder):
    import families

    config, tokens = next((config, tokens) for case, config, tokens in families.CASES if case == name)
    families.write_checkpoint(folder, families.without_dots({**config, "vocab_size": 4096}))
    shutil.copy(ROOT / "resources" / "demo" / "tokenizer.model", folder)
    return families.text(tokens)


def middle(candidates):
    """Of a layer's candidates in tradeoff.json the threshold whose share is nearest to 0.6."""
    return min(candidates, key=lambda c: abs(c["share"] - 0.6))


def policies(run):
    """Policies by name: files in the form of policy.json."""
    table = json.loads((run / "tradeoff.json").read_text())
    base = json.loads((run / "policy.json").read_text())
    converted = set(json.loads((run / "recipe.json").read_text())["layers"])
    experts = json.loads((run / "recipe.json").read_text())
    routed = experts["experts"] - experts["shared"]

    def threshold(layer):
        rows = [c for c in table["layers"][layer]["candidates"] if c["kind"] == "threshold"]
        row = min(rows, key=lambda c: abs(c["mean_experts"] - 0.4 * routed))
        return dict(kind="threshold", threshold=row["threshold"], mean_experts=row["mean_experts"])

    def cuts(layer):
        found = table["layers"][layer]["cuts"]
        chosen = {product: middle(found[product]) for product in ("qkv", "o", "gate_up", "neurons")}
        inputs = {product: chosen[product]["threshold"] for product in ("qkv", "o", "gate_up")}
        inputs["share"] = {product: chosen[product]["share"] for product in ("qkv", "o", "gate_up")}
        return dict(inputs=inputs, neurons={key: chosen["neurons"][key] for key in ("threshold", "share")})

    def policy(of, cut=False):
        layers = []
        for layer in range(len(base["layers"])):
            entry = of(layer) if layer in converted else dict(kind="dense")
            # With cuts in many layers one input that falls on the other side of its threshold, by rounding, moves others.
            here = cut and (len(base["layers"]) < 4 or layer in (max(converted), len(base["layers"]) - 1))
            layers.append({"layer": layer, **entry, **(cuts(layer) if here else {})})
        schema = "ladimo.policy/2" if cut else "ladimo.policy/1"
        return {**base, "schema": schema, "layers": layers, "measured": None}

    first = min(converted)
    top = dict(kind="top_k", k=max(routed // 3, 1))
    return {
        "threshold": policy(threshold),
        "top_k": policy(lambda layer: top),
        "mixed": policy(lambda layer: dict(kind="dense") if layer == first else threshold(layer)),
        "mixed_cuts": policy(lambda layer: dict(kind="dense") if layer == first else threshold(layer), cut=True),
        "top_k_cuts": policy(lambda layer: top, cut=True),
    }


def write_logits(helper, model, ids, file):
    """Writes [2, tokens, vocabulary]: in one pass, and token by token."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as listed:
        listed.write(json.dumps(ids) + "\n")
        listed.flush()
        subprocess.run([helper, model, listed.name, file], check=True)


def add_tensors(folder, other):
    """Writes a folder whose converted layers have what a short conversion leaves out: a small router and compensation."""
    import families
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, other)
    tensors = load_file(folder / "model.safetensors")
    config, policy = (json.loads((folder / name).read_text()) for name in ("config.json", "policy.json"))
    for index, layer in enumerate(config["ladimo"]["layers"]):
        experts, width = layer["tensors"]["router"]
        added = dict(router_hidden=[8, width], router_hidden_bias=[8], router=[experts, 8], compensation=[experts, width])
        for name, shape in added.items():
            layer["tensors"][name] = shape
            key = f"model.layers.{index}.moe.{name}"
            tensors[key] = families.weights(key, shape)
        layer["policy"]["threshold"] = policy["layers"][index]["threshold"] = 0.1
    save_file(tensors, other / "model.safetensors", metadata=dict(format="pt"))
    (other / "config.json").write_text(json.dumps(config))
    (other / "policy.json").write_text(json.dumps(policy))


def ids_of_text(model, count):
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    return tokenizer(TEXT.read_text()[-40 * count :])["input_ids"][:count]


def make(program, helper, folders, smollm=None):
    chosen = os.environ.get("INTEROP_CASES", "").split()
    names = [name for name in CASES + ["smollm2"] * (smollm is not None) if not chosen or name in chosen]
    for name in names:
        case = folders / name
        if (case / "complete").exists():
            continue
        shutil.rmtree(case, ignore_errors=True)
        case.mkdir(parents=True)
        if name == "smollm2":
            (case / "dense").symlink_to(pathlib.Path(smollm).resolve())
            ids = ids_of_text(case / "dense", 64)
            # A multiple of 32 neurons suits llama.cpp's vector code.
            size = ["--tokens", 2048, "--held-out-tokens", 1024, "--window", 128, "--experts", 48]
        else:
            ids = write_tiny(name, case / "dense")
            size = ["--tokens", 4096, "--held-out-tokens", 2048, "--experts", 8]
        recipe = PLAIN if name in ("llama_biases", "qwen2") else QUICK if name == "smollm2" else RECIPE
        run = case / "run"
        ladimo(program, "convert", case / "dense", "-o", run, "--text", TEXT, *size, "--recipe", json.dumps(recipe))
        budget = ["--activated", 0.8, "--grains", "experts"] if name == "smollm2" else ["--tradeoff", 1]
        ladimo(program, "policy", run, *budget)
        (case / "ids.json").write_text(json.dumps(ids))
        write_logits(helper, case / "dense", ids, case / "dense.logits")
        for policy, content in policies(run).items():
            file = case / f"{policy}.json"
            file.write_text(json.dumps(content))
            ladimo(program, "export", run, "-o", case / policy, "--policy", file, "--shard-bytes", "100000000")
            write_logits(helper, case / policy, ids, case / f"{policy}.logits")
        if name == "llama":
            add_tensors(case / "threshold", case / "more_tensors")
            write_logits(helper, case / "more_tensors", ids, case / "more_tensors.logits")
        (case / "complete").touch()
        print(f"made {name}", flush=True)


# ---- check


def load(folder, dtype=torch.float32, **how):
    key = "torch_dtype" if transformers.__version__.startswith("4.") else "dtype"
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, **{key: dtype}, **how)
    return model.eval()


def logits_of(model, ids, **more):
    return model(torch.tensor([ids]), use_cache=False, **more).logits[0].float()


def stepwise(model, ids):
    cache, logits = transformers.DynamicCache(), []
    for i in ids:
        logits.append(model(torch.tensor([[i]]), past_key_values=cache, use_cache=True).logits[0, 0].float())
    return torch.stack(logits)


def distance(a, b):
    return float((a - b).abs().max())


@contextlib.contextmanager
def few_tokens(model, count):
    """With another limit below which only the experts that run are computed."""
    module = sys.modules[type(model).__module__]
    before, module.FEW_TOKENS = module.FEW_TOKENS, count
    yield
    module.FEW_TOKENS = before


def padded(texts, left):
    width = max(map(len, texts))
    ids, mask = torch.zeros(len(texts), width, dtype=torch.long), torch.zeros(len(texts), width, dtype=torch.long)
    for row, text in enumerate(texts):
        at = slice(width - len(text), width) if left else slice(0, len(text))
        ids[row, at], mask[row, at] = torch.tensor(text), 1
    return ids, mask


def compare_logits(what, model, folder, ids):
    expected = numpy.fromfile(folder.with_suffix(".logits"), dtype=numpy.float32).reshape(2, len(ids), -1)
    for how, found, wanted in [
        ("one pass", logits_of(model, ids), expected[0]),
        ("token by token", stepwise(model, ids), expected[1]),
    ]:
        error = numpy.abs(found.numpy() - wanted).max(1)  # of every token
        # An input at its threshold may fall on either side, by the order in which a sum was rounded.
        share = float((error < TOLERANCE).mean())
        good = share == 1 if "cuts" not in folder.name else share >= 0.5 and error.max() < 0.3
        check(f"{what}: logits, {how}", good, f"up to {error.max():.1e}, {100 * share:.0f} % of tokens within {TOLERANCE}")


def compare_use(what, model, ids):
    """Generation, batches and the way of few tokens."""
    texts = [ids[: len(ids) * 2 // 3], ids[: len(ids) // 3]]
    settings = dict(max_new_tokens=8, min_new_tokens=8, do_sample=False, pad_token_id=0)
    alone = [model.generate(torch.tensor([t]), **settings)[0, len(t) :].tolist() for t in texts]
    uncached = [model.generate(torch.tensor([t]), use_cache=False, **settings)[0, len(t) :].tolist() for t in texts]
    check(f"{what}: generate without cache", alone == uncached, (alone, uncached) if alone != uncached else "")
    batch, mask = padded(texts, left=True)
    together = model.generate(batch, attention_mask=mask, **settings)[:, batch.shape[1] :].tolist()
    check(f"{what}: generate in a batch", together == alone, (alone, together) if alone != together else "")
    for side in ("left", "right"):
        batch, mask = padded(texts, left=side == "left")
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        found = model(batch, attention_mask=mask, position_ids=positions, use_cache=False).logits
        errors = [distance(found[row][mask[row] == 1], logits_of(model, text)) for row, text in enumerate(texts)]
        check(f"{what}: padded on the {side}", max(errors) < TOLERANCE, f"{max(errors):.1e}")
    with few_tokens(model, 10**9):
        few = logits_of(model, ids)
    with few_tokens(model, 0):
        many = logits_of(model, ids)
    check(f"{what}: only experts that run", distance(few, many) < TOLERANCE, f"{distance(few, many):.1e}")


def compare_loading(what, model, folder, ids):
    expected = logits_of(model, ids)
    with tempfile.TemporaryDirectory() as other:
        model.save_pretrained(other)
        again = load(other)
        check(f"{what}: saved and loaded", torch.equal(logits_of(again, ids), expected))
        saved = json.loads((pathlib.Path(other) / "config.json").read_text())
        check(f"{what}: config.json when saved", saved["ladimo"] == json.loads((folder / "config.json").read_text())["ladimo"])
    last = len(model.model.layers) - 1
    names = ["model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"]
    split = {**dict.fromkeys(names, "cpu"), **{f"model.layers.{i}": "disk" if i == last else "cpu" for i in range(last + 1)}}
    for name, how in [("auto", "auto"), ("with a layer on disk", split)]:
        with tempfile.TemporaryDirectory() as offload:
            mapped = load(folder, device_map=how, offload_folder=offload)
            check(f"{what}: device_map {name}", distance(logits_of(mapped, ids), expected) < 1e-5)
    for dtype in (torch.bfloat16, torch.float16):
        for how in ({}, dict(device_map="auto")):
            rounded = load(folder, dtype, **how)
            precise = ("router", "router_bias", "router_hidden", "router_hidden_bias", "activity")
            wrong = []
            for name, parameter in rounded.named_parameters():
                last_name = name.rsplit(".", 1)[1]
                wanted = torch.int64 if last_name == "permutation" else torch.float32 if last_name in precise else dtype
                wrong += [name] * (parameter.dtype != wanted)
            kl = torch.nn.functional.kl_div(
                logits_of(rounded, ids).log_softmax(-1), expected.log_softmax(-1), log_target=True, reduction="batchmean"
            )
            check(f"{what}: {dtype} {how or ''}", not wrong and kl < 0.3, f"KL {kl:.1e} {' '.join(wrong)}")


def known(case, ids):
    """Whether this transformers computes the original as our program does."""
    try:
        found = logits_of(load(case / "dense"), ids).numpy()
    except Exception as error:
        print(f"  left out  {case.name}: the original does not load ({str(error)[:70]!r} ...)")
        return False
    expected = numpy.fromfile(case / "dense.logits", dtype=numpy.float32).reshape(2, len(ids), -1)[0]
    if numpy.abs(found - expected).max() < TOLERANCE:
        return True
    print(f"  left out  {case.name}: this transformers computes the original otherwise")
    return False


def compare(folders):
    seen = set()
    for case in sorted(f for f in folders.iterdir() if (f / "complete").exists()):
        ids = json.loads((case / "ids.json").read_text())
        # Its older spelling lacks the theta of this case: what comes of rope_parameters is ours to do.
        if case.name != "llama_rope_parameters" and not known(case, ids):
            continue
        for folder in sorted(f for f in case.iterdir() if (f / "modeling_ladimo.py").exists()):
            what = f"{case.name}, {folder.name}"
            model = load(folder)
            compare_logits(what, model, folder, ids)
            if "longrope" not in case.name:
                compare_use(what, model, ids)
            if folder.name in ("mixed_cuts", "top_k"):
                compare_loading(what, model, folder, ids)
            seen |= {name.rsplit(".", 1)[1] for name in model.state_dict() if ".moe." in name}
    print(f"tensors of converted layers that were there: {', '.join(sorted(seen))}")


def main():
    what, *arguments = sys.argv[1:]
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", category=FutureWarning)  # past_key_values, until 5.40
    torch.set_grad_enabled(False)
    if what == "make":
        make(*arguments[:2], pathlib.Path(arguments[2]), *arguments[3:])
        return 0
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    compare(pathlib.Path(arguments[0]))
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
