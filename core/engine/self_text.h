// Text that the model writes itself, for users who have no data (`--text self`).
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/context.h"
#include "model/decoder.h"
#include "text/tokenizer.h"

namespace ladimo {

/// Samples documents until they hold at least `tokens` tokens and writes them as JSONL (key `text`),
/// atomically. Texts that loop (few distinct 4-grams) are cut at the loop or dropped, repeated beginnings are
/// dropped. Throws Error when the model writes nothing but loops.
void write_self_text(const Decoder& decoder, const Tokenizer& tokenizer, std::int64_t tokens,
                     std::int64_t length, std::uint64_t seed, const std::filesystem::path& file,
                     const Context& context);

}  // namespace ladimo
