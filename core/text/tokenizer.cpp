#include "text/tokenizer.h"

namespace ladimo {
namespace {

constexpr const char* replacement_character = "\xEF\xBF\xBD";  // U+FFFD: a byte that is no character (yet)
constexpr std::size_t longest_character = 4;                   // bytes of UTF-8

}  // namespace

std::string StreamDecoder::add(std::int32_t id) {
  ids_.push_back(id);
  std::string text = tokenizer_.decode(ids_);
  const bool incomplete = text.ends_with(replacement_character) && ids_.size() - context_ < longest_character;
  if (incomplete) return {};
  std::string added = text.size() > printed_ ? text.substr(printed_) : std::string();
  printed_ += added.size();
  forget();
  return added;
}

std::string StreamDecoder::finish() {
  const std::string text = tokenizer_.decode(ids_);
  std::string added = text.size() > printed_ ? text.substr(printed_) : std::string();
  ids_.clear();
  context_ = printed_ = 0;
  return added;
}

// Keeps only the tokens just printed as the context of the next ones, so that a long text costs no more per
// token than a short one. Tokens that print nothing by themselves would change how the next one begins,
// because a space at the beginning is dropped. In that case the older context stays.
void StreamDecoder::forget() {
  const std::vector<std::int32_t> latest(ids_.begin() + static_cast<std::ptrdiff_t>(context_), ids_.end());
  const std::string text = tokenizer_.decode(latest);
  if (!text.empty()) {
    ids_ = latest;
    printed_ = text.size();
  }
  context_ = ids_.size();
}

}  // namespace ladimo
