// How decoding holds the matrices of a model in memory.
#pragma once

namespace ladimo {

enum class Holding {
  as_stored,  // bf16 where the checkpoint has bf16, else fp32 where that fits
  q8_0,       // in blocks of Q8_0 (kernels/q8_0.h)
};

}  // namespace ladimo
