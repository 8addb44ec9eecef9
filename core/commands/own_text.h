// A short text of a model's own, as the material of timing and comparing.
#pragma once

#include "base/context.h"
#include "model/decoder.h"

namespace ladimo {

/// Sampled from BOS (token 0 without one), the same every time, repeated until it has `count` tokens. [1,
/// count] int64
at::Tensor own_text(const Decoder& decoder, std::int64_t count, const Context& context);

}  // namespace ladimo
