// Regular expressions over UTF-8 text (PCRE2 with Unicode properties).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

/// A place in text, in bytes.
struct TextSpan {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

class Regex {
 public:
  /// Compiles an expression in the spelling of Oniguruma, which Hugging Face tokenizers use: \s is Unicode's
  /// White_Space, ^ and $ stand at line ends. Throws Refusal without a path that shows the expression.
  explicit Regex(const std::string& expression);

  /// The first match at or after `from` that is not empty. Precondition: `text` is UTF-8, and `from` is not
  /// inside a character. Throws Refusal when the expression takes too long. Thread-safe.
  std::optional<TextSpan> find(std::string_view text, std::size_t from) const;
  /// `text` with every match replaced by `content`.
  std::string replace(std::string_view text, std::string_view content) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace ladimo
