// A short text that a model writes itself, for timing and comparing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/context.h"
#include "decode/decoder.h"

namespace ladimo {

/// A text sampled from BOS (from token 0 where the model has none), repeated until it has `count` tokens. The
/// seed is fixed. Returns the ids.
std::vector<std::int32_t> own_text(const Decoder& decoder, std::int64_t count, const Context& context);

}  // namespace ladimo
