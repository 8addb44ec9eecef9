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
  /// Compiles an expression in the spelling of Oniguruma (oniguruma.h). Throws Refusal without a path that
  /// shows the expression.
  explicit Regex(const std::string& expression);

  /// The match that follows `last` (none: the first), which may be empty, but not where `last` ends.
  /// Precondition: `text` is UTF-8. Throws Refusal when the expression takes too long. Thread-safe.
  std::optional<TextSpan> next(std::string_view text, const std::optional<TextSpan>& last) const;
  /// `text` with every match replaced by `content`.
  std::string replace(std::string_view text, std::string_view content) const;

 private:
  std::optional<TextSpan> find(std::string_view text, std::size_t from) const;

  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace ladimo
