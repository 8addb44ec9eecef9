"""A folder of the Llama family as a GGUF file without a tokenizer, with every matrix in the type that the folder has."""
import json
import os

import torch
from gguf import MODEL_ARCH, GGUFWriter, get_tensor_name_map
from safetensors.torch import load_file

from gguf_copy import add_bf16, finish


def interleaved(weight, heads):
    """llama.cpp turns neighbouring dimensions of a head, Hugging Face those that are half a head apart."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def write_bare(folder, path):
    """A file that is there is kept."""
    if os.path.exists(path):
        return
    config = json.load(open(f"{folder}/config.json", encoding="utf-8"))
    heads, kv_heads, layers = (config[f"num_{name}"] for name in ("attention_heads", "key_value_heads", "hidden_layers"))
    writer = GGUFWriter(path + ".part", "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(layers)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, layers)
    for name, values in load_file(f"{folder}/model.safetensors").items():
        if "q_proj" in name or "k_proj" in name:
            values = interleaved(values, heads if "q_proj" in name else kv_heads)
        name = names.get_name(name, try_suffixes=(".weight",))
        if values.dim() == 1 or values.dtype != torch.bfloat16:  # llama.cpp wants norms in F32
            writer.add_tensor(name, values.float().numpy())
        else:
            add_bf16(writer, name, values)
    finish(writer, path)
