"""distillation.py LADIMO FOLDER TEXT THREADS LAYER: see distillation.sh, which lays FOLDER/smollm2."""
import json
import os
import shutil
import subprocess
import sys
import time

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

program, folder, text, threads, layer = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
tokens, window, batch, epochs, learning_rate = 100000, 1024, 1024, 2, 1e-3
torch.set_num_threads(threads)
model_folder = os.path.join(folder, "smollm2")
if os.path.isdir(os.path.join(model_folder, "hf")):
    model_folder = os.path.join(model_folder, "hf")


def ours():
    """What the parts of the layer's work took, in seconds, as the run's timing.json says."""
    run = os.path.join(folder, "distillation-run")
    shutil.rmtree(run, ignore_errors=True)
    settings = json.dumps({"finish": {"use": "off"}, "sensitivity": "estimated"})
    subprocess.run([program, "convert", model_folder, "-o", run, "--text", text, "--tokens", str(tokens), "--window",
                    str(window), "--held-out-tokens", "4096", "--layers", str(layer), "--threads", str(threads),
                    "--recipe", settings], check=True, capture_output=True)
    with open(os.path.join(run, "timing.json")) as file:
        timing = json.load(file)
    return run, timing["parts"], timing["layers"][str(layer)]


def inputs():
    """The inputs of the layer's FFN on as many tokens, without the first position of every window."""
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(model_folder)(open(text).read(), return_tensors="pt").input_ids[0]
    rows = []
    model.model.layers[layer].mlp.register_forward_pre_hook(lambda _, given: rows.append(given[0][0, 1:].clone()))
    with torch.no_grad():
        for begin in range(0, tokens - window + 1, window):
            model.model(ids[None, begin:begin + window])
    mlp = model.model.layers[layer].mlp
    return torch.cat(rows), mlp


def plain(run, x, mlp):
    """Seconds of the plain distillation: autograd, torch.optim.Adam, a random threshold for every token."""
    with safe_open(os.path.join(run, "layers", f"{layer:03}.safetensors"), "pt") as file:
        permutation, router, router_bias = (file.get_tensor(n) for n in ("permutation", "router", "router_bias"))
        shared = int(file.metadata()["shared_neurons"])
    with torch.no_grad():
        y = mlp(x)
        variance = (y - y.mean(0)).square().sum(1).mean()
        hidden = file_hidden(run)
        routed_input = x if hidden is None else torch.nn.functional.silu(x @ hidden[0].t() + hidden[1])
        weights = routed_input @ router.t() + router_bias
        levels = torch.quantile(weights.flatten()[::37], torch.linspace(0, 1, 101))
    experts = router.shape[0]
    size = (permutation.shape[0] - shared) // experts
    gate = mlp.gate_proj.weight[permutation].detach().clone().requires_grad_()
    up = mlp.up_proj.weight[permutation].detach().clone().requires_grad_()
    down = mlp.down_proj.weight.t()[permutation].detach().clone().requires_grad_()
    bias = torch.zeros(y.shape[1], requires_grad=True)
    optimizer = torch.optim.Adam([gate, up, down, bias], lr=learning_rate, betas=(0.9, 0.99))
    started = time.perf_counter()
    for _ in range(epochs):
        for pick in torch.randperm(x.shape[0]).split(batch):
            threshold = levels[torch.randint(0, 101, (len(pick), 1))]
            on = (weights[pick] >= threshold).float()
            mask = torch.cat([torch.ones(len(pick), shared), on.repeat_interleave(size, 1)], 1)
            h = torch.nn.functional.silu(x[pick] @ gate.t()) * (x[pick] @ up.t())
            loss = ((h * mask) @ down + bias - y[pick]).square().sum(1).mean() / variance
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return time.perf_counter() - started


def file_hidden(run):
    with safe_open(os.path.join(run, "layers", f"{layer:03}.safetensors"), "pt") as file:
        if "router_hidden" not in file.keys():
            return None
        return file.get_tensor("router_hidden"), file.get_tensor("router_hidden_bias")


run, parts, whole = ours()
x, mlp = inputs()
seconds = plain(run, x, mlp)
print(f"layer {layer}, {len(x)} rows, {threads} threads, PyTorch {torch.__version__}")
print(f"plain PyTorch: the distillation alone {seconds:.1f} s")
print(f"ladimo: the distillation alone {parts['distillation']:.1f} s ({seconds / parts['distillation']:.2f} x), the "
      f"whole layer {whole:.1f} s ({seconds / whole:.2f} x): " + ", ".join(f"{n} {s:.1f}" for n, s in parts.items()))
