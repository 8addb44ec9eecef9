#include "text/tokenizer.h"

#include <algorithm>

namespace ladimo {
namespace {

constexpr std::string_view replacement_character =
    "\xEF\xBF\xBD";                           // U+FFFD: a byte that is no character (yet)
constexpr std::size_t longest_character = 4;  // bytes of UTF-8

}  // namespace

void StreamDecoder::follow(std::span<const std::int32_t> ids) {
  ids_.assign(ids.begin(), ids.end());
  // A run of bytes at the end is text already, which no further byte may change.
  const auto is_byte = [&](std::int32_t id) { return tokenizer_.is_byte(id); };
  auto run = ids_.end();
  while (run != ids_.begin() && (is_byte(run[-1]) || tokenizer_.decode({&run[-1], 1}).empty())) --run;
  ids_.erase(std::remove_if(run, ids_.end(), is_byte), ids_.end());
  context_ = ids_.size();
  printed_ = tokenizer_.decode(ids_).size();
  held_ = 0;
  in_run_ = false;
}

std::string StreamDecoder::add(std::int32_t id) {
  ids_.push_back(id);
  // One more byte may make the characters of the run that are complete unreadable.
  if (tokenizer_.is_byte(id))
    in_run_ = true;
  else if (in_run_ && !tokenizer_.decode({&id, 1}).empty())
    in_run_ = false;
  if (in_run_) return {};
  const std::string text = tokenizer_.decode(ids_);
  std::size_t complete = text.size();
  while (std::string_view(text).substr(0, complete).ends_with(replacement_character))
    complete -= replacement_character.size();
  std::string added = text.substr(std::min(printed_, text.size()), complete - std::min(printed_, complete));
  held_ = complete == text.size() ? 0 : added.empty() ? held_ + 1 : 1;
  if (held_ == longest_character) {  // these bytes are no character
    added = text.substr(std::min(printed_, text.size()));
    held_ = 0;
  }
  printed_ += added.size();
  if (held_ == 0) forget();
  return added;
}

std::string StreamDecoder::finish() {
  const std::string text = tokenizer_.decode(ids_);
  std::string added = text.size() > printed_ ? text.substr(printed_) : std::string();
  ids_.clear();
  context_ = printed_ = held_ = 0;
  in_run_ = false;
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
