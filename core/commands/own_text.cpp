#include "commands/own_text.h"

#include <algorithm>

#include "decode/generation.h"

namespace ladimo {

std::vector<std::int32_t> own_text(const Decoder& decoder, std::int64_t count, const Context& context) {
  constexpr std::int64_t most = 256;  // tokens that are written; a longer text repeats them
  const auto first = static_cast<std::int32_t>(std::max<std::int64_t>(decoder.config().bos, 0));
  std::vector<std::int32_t> ids = {first};
  for (const auto& token : generate(decoder, std::vector{first}, {std::min(count, most), 1.0, 0}, context))
    ids.push_back(token.id);
  const std::size_t written = ids.size();
  while (static_cast<std::int64_t>(ids.size()) < count) ids.push_back(ids[ids.size() - written]);
  ids.resize(static_cast<std::size_t>(count));
  return ids;
}

}  // namespace ladimo
