#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "text/oniguruma.h"

namespace ladimo {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};

/// The place where this thread's matches are written.
pcre2_match_data* match_of_thread() {
  thread_local const std::unique_ptr<pcre2_match_data, FreeMatch> match(pcre2_match_data_create(1, nullptr));
  return match.get();
}

}  // namespace

struct Regex::Compiled {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::string expression;
};

Regex::Regex(const std::string& expression) {
  const std::string spelled = pcre2_spelling(expression);
  int error = 0;
  std::size_t offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error,
                                   &offset, nullptr);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    throw Refusal(fmt::format("The regular expression {} is not understood: {}.", expression,
                              reinterpret_cast<const char*>(message.data())),
                  "Download the tokenizer again.");
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it, matching is only slower
  compiled_ =
      std::make_shared<const Compiled>(Compiled{std::unique_ptr<pcre2_code, FreeCode>(code), expression});
}

std::optional<TextSpan> Regex::find(std::string_view text, std::size_t from) const {
  pcre2_match_data* const match = match_of_thread();
  const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
  const auto options = PCRE2_NO_UTF_CHECK;
  int found = pcre2_match(compiled_->code.get(), bytes, text.size(), from, options, match, nullptr);
  if (found == PCRE2_ERROR_JIT_STACKLIMIT)  // the interpreter has more room
    found =
        pcre2_match(compiled_->code.get(), bytes, text.size(), from, options | PCRE2_NO_JIT, match, nullptr);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0)
    throw Refusal(
        fmt::format("The regular expression {} takes too long on this text.", compiled_->expression),
        "Check that the tokenizer belongs to the checkpoint, and that the text is ordinary text.");
  const std::size_t* ends = pcre2_get_ovector_pointer(match);
  return TextSpan{ends[0], ends[1]};
}

std::optional<TextSpan> Regex::next(std::string_view text, const std::optional<TextSpan>& last) const {
  if (!last) return find(text, 0);
  auto match = find(text, last->end);
  if (match && match->size() == 0 && match->end == last->end) {
    if (last->end == text.size()) return std::nullopt;
    match = find(text, last->end + utf8_at(text, last->end).bytes);
  }
  return match;
}

std::string Regex::replace(std::string_view text, std::string_view content) const {
  std::string result;
  std::size_t at = 0;
  std::optional<TextSpan> match;
  while ((match = next(text, match))) {
    result.append(text.substr(at, match->begin - at)).append(content);
    at = match->end;
  }
  return result.append(text.substr(at));
}

}  // namespace ladimo
