"""A language model that LaDiMo Studio converted: the original model, in whose layers only the experts that the
policy chooses run, and in whose products small inputs are skipped.

    model = AutoModelForCausalLM.from_pretrained(FOLDER, trust_remote_code=True)

The policy of layer N is `config.ladimo["layers"][N]["policy"]`:

    {"kind": "dense"}                          all neurons run
    {"kind": "top_k", "k": 2}                  the 2 routed experts with the greatest routing weights
    {"kind": "threshold", "threshold": 0.03}   the routed experts whose routing weight is at least 0.03

and, with any of them, thresholds of inputs and neurons: "inputs": {"qkv", "o", "gate_up"} and "neurons": {"threshold"}.
"""

import inspect

import torch
from torch import nn
from torch.nn import functional as F
from transformers import GenerationMixin, LlamaForCausalLM, PreTrainedModel

from .configuration_ladimo import LadimoConfig

# Of so few tokens (batch times length) only the experts that run are computed; of more, all are computed and masked.
FEW_TOKENS = 8
FP32 = ["router", "router_bias", "router_hidden", "router_hidden_bias", "activity"]
OPTIONAL = ["compensation", "gate_bias", "up_bias", "down_bias", "router_hidden", "router_hidden_bias", "gate_shift"]


class Beginnings:
    """Which of the tokens that are computed begin a text. They leave out no inputs."""

    def __init__(self):
        self.first = None  # [tokens] bool

    def look(self, model, args, kwargs):
        """A hook that runs before the model."""
        given = dict(inspect.signature(type(model).forward).bind(model, *args, **kwargs).arguments)
        given.update(given.pop("kwargs", {}))
        tokens = given.get("input_ids")
        tokens = given["inputs_embeds"] if tokens is None else tokens
        batch, width = tokens.shape[:2]
        mask, positions = given.get("attention_mask"), given.get("position_ids")
        if isinstance(mask, torch.Tensor) and mask.dim() == 2:  # padding is 0, on either side
            seen = mask != 0
            first = (seen & (seen.cumsum(1) == 1))[:, -width:]
        elif positions is not None:
            first = (positions == 0).expand(batch, width)
        else:
            cache = given.get("cache", given.get("past_key_values"))
            first = torch.zeros(batch, width, dtype=torch.bool, device=tokens.device)
            first[:, 0] = cache is None or cache.get_seq_length() == 0
        self.first = first.flatten()

    def keep_large(self, x, size, threshold):
        """x [..., n] with zeros where its size [..., n] is below the threshold."""
        small = size < threshold
        if self.first is not None:
            small = small & ~self.first.to(x.device).view(*x.shape[:-1], 1)
        return x.masked_fill(small, 0)


class Norms:
    """The norms of a matrix, computed again when the matrix was changed."""

    def __init__(self, dim):
        self.dim, self.key, self.norms = dim, None, None

    def of(self, matrix):
        key = (matrix.data_ptr(), matrix.device, None if matrix.is_inference() else matrix._version)
        if self.key != key:
            self.key, self.norms = key, matrix.detach().float().norm(dim=self.dim)
        return self.norms


class CutLinear(nn.Module):
    """A linear layer that leaves out small inputs. An input's size is |x|, or |x| times the norm of its column."""

    def __init__(self, linear, threshold, beginnings, by_norm=False):
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias
        self.threshold, self.beginnings = threshold, beginnings
        self.norms = Norms(dim=0) if by_norm else None

    def forward(self, x):
        size = x.abs()
        if self.norms is not None:
            size = size * self.norms.of(self.weight)
        return F.linear(self.beginnings.keep_large(x, size, self.threshold), self.weight, self.bias)


class Joined:
    """Projections that the original computes as one, while the folder stores them apart."""

    def __init__(self, module, names):
        self.module, self.names = module, names

    def __call__(self, x):
        return torch.cat([getattr(self.module, name)(x) for name in self.names], -1)


class SparseFfn(nn.Module):
    """A feed-forward network as shared neurons, which always run, and routed experts of equal size.

    Row j of gate, up and down belongs to neuron j: first the shared neurons, then expert after expert.
    """

    def __init__(self, layer, beginnings):
        super().__init__()
        for name in OPTIONAL:
            self.register_parameter(name, None)
        for name, shape in layer["tensors"].items():
            dtype = torch.int64 if name == "permutation" else torch.float32 if name in FP32 else None
            trained = name not in ("permutation", "activity")
            self.register_parameter(name, nn.Parameter(torch.zeros(shape, dtype=dtype), requires_grad=trained))
        self.policy, self.beginnings = layer["policy"], beginnings
        self.shared = int(layer["metadata"]["shared_neurons"])
        self.experts = self.router.shape[0]
        self.expert_neurons = (self.gate.shape[0] - self.shared) // self.experts
        self.input_threshold, self.neuron_threshold = cut(self.policy, "gate_up"), cut(self.policy, "neurons")
        self.norms = Norms(dim=1)
        self.known_shift = None

    def forward(self, hidden_states):
        x = hidden_states.flatten(0, -2)  # [tokens, d]
        on = self.choose(x)
        if self.input_threshold > 0:
            x = self.beginnings.keep_large(x, x.abs(), self.input_threshold)
        mask = torch.cat([on.new_ones(len(x), self.shared), on.repeat_interleave(self.expert_neurons, 1)], 1)
        spans = self.spans(on) if len(x) <= FEW_TOKENS else [(0, mask.shape[1])]
        y = sum(self.contribution(x, mask, begin, end) for begin, end in spans)
        if self.compensation is not None:
            y = y + (~on).to(y.dtype) @ self.compensation
        if self.down_bias is not None:
            y = y + self.down_bias
        return y.view_as(hidden_states)

    def choose(self, x):
        """Which routed experts run: [tokens, experts] bool. The router is computed in fp32."""
        x = x.float()
        if self.router_hidden is not None:
            x = F.silu(F.linear(x, self.router_hidden.float(), self.router_hidden_bias.float()))
        weights = F.linear(x, self.router.float(), self.router_bias.float())
        if self.policy["kind"] == "threshold":
            return weights >= self.policy["threshold"]
        order = weights.sort(dim=1, descending=True, stable=True).indices
        return torch.zeros_like(weights, dtype=torch.bool).scatter(1, order[:, : max(self.policy["k"], 0)], True)

    def spans(self, on):
        """The neurons that run for some of the tokens: a list of [begin, end)."""
        spans = [(0, self.shared)]
        for expert, runs in enumerate(on.any(0).tolist()):
            begin = self.shared + expert * self.expert_neurons
            if runs and begin == spans[-1][1]:
                spans[-1] = (spans[-1][0], begin + self.expert_neurons)
            elif runs:
                spans.append((begin, begin + self.expert_neurons))
        return spans

    def contribution(self, x, mask, begin, end):
        """What the neurons begin ... end - 1 add to the output, where the mask has them run."""
        here = slice(begin, end)
        bias = [None if b is None else b[here] for b in (self.gate_bias, self.up_bias)]
        h = F.silu(F.linear(x, self.rows("gate", here), bias[0])) * F.linear(x, self.rows("up", here), bias[1])
        if self.neuron_threshold > 0:
            moved = self.gate_shift is not None
            norms = self.rows("down", here).float().norm(dim=1) if moved else self.norms.of(self.down)[here]
            h = self.beginnings.keep_large(h, h.abs() * norms, self.neuron_threshold)
        return (h * mask[:, here]) @ self.rows("down", here)

    def rows(self, name, here):
        """Rows of gate, up or down. They may move with the share of the experts that run."""
        rows = getattr(self, name)[here]
        return rows if self.gate_shift is None else rows + self.shift() * getattr(self, name + "_shift")[here]

    def shift(self):
        """1 where no routed expert runs, -1 where all run."""
        if self.policy["kind"] == "top_k":
            return 1 - 2 * self.policy["k"] / self.experts
        if self.known_shift is None:
            thresholds, shares = self.activity.float().t().tolist()
            threshold = torch.tensor(self.policy["threshold"], dtype=torch.float32).item()
            i = min(max(sum(t < threshold for t in thresholds), 1), len(thresholds) - 1)
            if threshold <= thresholds[0] or threshold > thresholds[-1]:
                share = shares[0 if threshold <= thresholds[0] else -1]
            else:
                way = (threshold - thresholds[i - 1]) / (thresholds[i] - thresholds[i - 1])
                share = shares[i - 1] + way * (shares[i] - shares[i - 1])
            self.known_shift = 1 - 2 * share
        return self.known_shift


def cut(policy, product):
    """The threshold below which a product's inputs are left out; 0: none is."""
    if product == "neurons":
        return policy.get("neurons", {}).get("threshold", 0)
    return policy.get("inputs", {}).get(product, 0)


def split(module, fused, sizes):
    """Replaces the linear layer `fused` by layers of the given names and numbers of outputs."""
    whole = getattr(module, fused)
    delattr(module, fused)
    for name, size in sizes.items():
        setattr(module, name, nn.Linear(whole.in_features, size, bias=False))
    setattr(module, fused, Joined(module, list(sizes)))


def convert(layer, index, config, beginnings):
    """Makes a layer of the original one that computes under its policy."""
    entry = config.ladimo["layers"][index]
    policy, attention = entry["policy"], layer.self_attn
    dense = policy["kind"] == "dense"
    if ("dense" if dense else "converted") not in entry["weights"]:
        raise ValueError(f"Layer {index} has the policy {policy['kind']}, but the folder lacks its weights.")
    if not dense:
        del layer.mlp
        layer.moe = SparseFfn(entry, beginnings)
        object.__setattr__(layer, "mlp", layer.moe)  # the layer calls mlp; the weights are named moe
    elif hasattr(layer.mlp, "gate_up_proj"):
        split(layer.mlp, "gate_up_proj", dict(gate_proj=config.intermediate_size, up_proj=config.intermediate_size))
    if hasattr(attention, "qkv_proj"):
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        queries, keys = config.num_attention_heads * head, config.num_key_value_heads * head
        split(attention, "qkv_proj", dict(q_proj=queries, k_proj=keys, v_proj=keys))
    for module, product, names in [
        (attention, "qkv", ["q_proj", "k_proj", "v_proj"]),
        (attention, "o", ["o_proj"]),
        (layer.mlp, "gate_up", ["gate_proj", "up_proj"] if dense else []),
        (layer.mlp, "neurons", ["down_proj"] if dense else []),
    ]:
        for name in names if cut(policy, product) > 0 else []:
            linear = CutLinear(getattr(module, name), cut(policy, product), beginnings, product == "neurons")
            setattr(module, name, linear)


class LadimoForCausalLM(LlamaForCausalLM, GenerationMixin):
    config_class = LadimoConfig
    _auto_class = "AutoModelForCausalLM"  # this file is saved with the model
    _keep_in_fp32_modules = FP32
    _keep_in_fp32_modules_strict = FP32
    _keys_to_ignore_on_load_unexpected = [r"\.(mlp|moe)\."]  # weights for other policies
    _can_compile_fullgraph = False  # what runs is decided while it runs

    def __init__(self, config):
        config.pretraining_tp = 1  # a way to slice products, with the same sums
        super().__init__(config)
        beginnings = Beginnings()
        for index, layer in enumerate(self.model.layers):
            convert(layer, index, config, beginnings)
        if any("inputs" in layer["policy"] or "neurons" in layer["policy"] for layer in config.ladimo["layers"]):
            self.model.register_forward_pre_hook(beginnings.look, with_kwargs=True)

    @classmethod
    def _load_pretrained_model(cls, *args, **kwargs):
        # Earlier versions round the routers with a device map, unless each tensor has the type that it was made with.
        old = not hasattr(PreTrainedModel, "_keep_in_fp32_modules_strict")
        if old and "disk" not in (kwargs.get("device_map") or {}).values():
            kwargs["dtype"] = None
        return super()._load_pretrained_model(*args, **kwargs)
