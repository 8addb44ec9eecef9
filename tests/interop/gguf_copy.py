"""A GGUF file as another with every tensor in one type, made from the numbers that a BF16 folder of the model holds."""
import os

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize


def add_bf16(writer, name, values):
    """A tensor in BF16."""
    writer.add_tensor(name, values.contiguous().view(torch.int16).numpy().view(np.uint8),
                      raw_dtype=GGMLQuantizationType.BF16)


def finish(writer, path):
    """Writes what `writer` holds; `path` exists only when it is whole."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.rename(path + ".part", path)


def write_copy(source, path, kind):
    """`kind` is F32, BF16 or Q8_0; norms stay F32, as llama.cpp wants them. A copy that is there is kept."""
    if os.path.exists(path):
        return
    reader = GGUFReader(source)
    writer = GGUFWriter(path + ".part", reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type", "general.quantization_version"):
            continue
        value_kind = field.types[0]
        inner = field.types[-1] if value_kind == GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), value_kind, sub_type=inner)
    writer.add_file_type({"F32": 0, "BF16": 32, "Q8_0": 7}[kind])
    for tensor in reader.tensors:
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).astype(np.float32)).bfloat16()
        values = values.view([int(n) for n in reversed(tensor.shape)])
        if kind == "F32" or values.dim() == 1:
            writer.add_tensor(tensor.name, values.float().numpy())
        elif kind == "Q8_0":
            writer.add_tensor(tensor.name, quantize(values.float().numpy(), GGMLQuantizationType.Q8_0),
                              raw_dtype=GGMLQuantizationType.Q8_0)
        else:
            add_bf16(writer, tensor.name, values)
    finish(writer, path)
