// A GGUF file as a folder in the Hugging Face layout would hold the same model, so that the rest of the
// program needs to know only that layout.
#pragma once

#include <string>

#include "checkpoint/gguf.h"
#include "checkpoint/safetensors.h"

namespace ladimo {

/// The config.json of a GGUF file. Throws Refusal that names the architecture or the key that this program
/// does not know and that could change the computation.
std::string gguf_config(const Gguf& gguf);

/// The tensors of a GGUF file under their Hugging Face names. Throws Refusal for one that has none. Rows of q
/// and k are read in Hugging Face's order. Quantised tensors are read as BF16, the others as they are stored,
/// except that vectors, which GGUF always stores as F32, have the dtype of the matrices where all their
/// values are exact in it: so the tensors equal those of the checkpoint that the file was made from.
TensorStore gguf_tensors(Gguf gguf);

/// The quantisation that most elements of `store` have: "Q4_1". Empty when that is plain numbers.
std::string most_common_quantisation(const TensorStore& store);

}  // namespace ladimo
