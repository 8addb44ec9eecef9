#include "text/model_tokens.h"

#include <algorithm>

#include <fmt/format.h>

namespace ladimo {

void leave_out_unknown(std::vector<AddedToken>& added, std::int64_t rows, const std::filesystem::path& source,
                       std::vector<Problem>& warnings) {
  const auto unknown =
      std::ranges::stable_partition(added, [&](const AddedToken& token) { return token.id < rows; });
  if (unknown.empty()) return;
  const auto& token = unknown.front();
  warnings.push_back(
      {fmt::format("The added token {} ({}){} no row in the embedding, which has {}.", token.content,
                   token.id,
                   unknown.size() == 1 ? " has" : fmt::format(" and {} more have", unknown.size() - 1), rows),
       "In text it stays ordinary text.", source});
  added.erase(unknown.begin(), unknown.end());
}

void compare_eos(std::int32_t eos, const ModelTokens& model, const std::filesystem::path& source,
                 std::vector<Problem>& warnings) {
  if (eos < 0 || std::ranges::find(model.eos, eos) != model.eos.end()) return;
  warnings.push_back({fmt::format("The tokenizer ends texts with token {}, which config.json and "
                                  "generation_config.json do not name as EOS.",
                                  eos),
                      "Texts end at the tokens of the two files, as in transformers 5.", source});
}

}  // namespace ladimo
