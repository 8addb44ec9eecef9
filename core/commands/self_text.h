// Text that the model writes itself, for users who have no data (`--text self`).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/context.h"
#include "decode/decoder.h"
#include "text/tokenizer.h"

namespace ladimo {

/// Texts are drawn from the model's own distribution, neither sharpened nor flattened.
constexpr double self_text_temperature = 1.0;

/// The number of `ids` before the model falls into a loop, where most 4-grams repeat earlier ones. All of
/// them when there is no loop.
std::size_t length_before_loop(std::span<const std::int32_t> ids);

/// Samples documents of up to `length` tokens until they hold at least `tokens` tokens (as the tokenizer
/// counts their text) and writes them as JSONL (key `text`), atomically. Texts that loop are cut at the loop.
/// Texts that are too short after that are dropped, and so are texts that begin like an earlier one. The same
/// seed gives the same bytes. Throws Refusal when `length` is 16 or less or more than the model has
/// positions, Error when the model writes hardly anything that can be used.
void write_self_text(const Decoder& decoder, const Tokenizer& tokenizer, std::int64_t tokens,
                     std::int64_t length, std::uint64_t seed, const std::filesystem::path& file,
                     const Context& context);

}  // namespace ladimo
