// What expressions of a tokenizer.json match: as in Oniguruma, not as in PCRE2.
#include "text/regex.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ladimo;

namespace {

using Texts = std::vector<std::string>;

Texts matches_of(const std::string& expression, const std::string& text) {
  const Regex regex(expression);
  Texts found;
  std::optional<TextSpan> match;
  while ((match = regex.next(text, match))) found.push_back(text.substr(match->begin, match->size()));
  return found;
}

}  // namespace

TEST_CASE("expressions match what they match in Hugging Face tokenizers") {
  // The matches were made with tokenizers 0.23.3: Split(Regex(expression), "removed", invert=True).
  struct Case {
    std::string expression, text;
    Texts matches;
  };
  for (const Case& c : std::vector<Case>{
           {R"(\w+)",
            "cafe\u0301 x\u00b2 \u0939\u093f\u0928\u094d\u0926\u0940 a_b",
            {"cafe\u0301", "x\u00b2", "\u0939\u093f\u0928\u094d\u0926\u0940", "a_b"}},
           {R"([\w]+)", "x\u00b2y", {"x", "y"}},
           {R"(\W)", "a\u0301-\u00b2", {"-"}},
           {R"(\b\w)", "ab \u0301c", {"a", "\u0301"}},
           {R"(\h+)", "12fg AB", {"12f", "AB"}},
           {R"([[:alpha:]]+|[[:^alpha:]x])", "ab1x", {"ab", "1", "x"}},
           {R"([[:punct:]]+)", "a$+.b", {"$+."}},
           {R"(\p{Punct}+)", "a$.b", {"."}},
           {R"(\p{N}{1,3}+)", "1234567 8", {"1234567", "8"}},
           {R"(a{2}?b)", "aabab", {"aab", "b"}},
           {R"(a{,2})", "aaa", {"aa", "a"}},
           {R"(a{x})", "a{x}", {"a{x}"}},
           {R"(x{1,2}?)", "xxx", {"x", "x", "x"}},
           {R"([a-z&&[^aeiou]]+)", "hello", {"h", "ll"}},
           {R"([^a-z&&[^aeiou]])", "a1b", {"a", "1"}},
           {R"( ?[^(\s|[.,!?…。，、।۔،])]+)", "Hello, (wide) world\u2026", {"Hello", "wide", " world"}},
           {R"([a[^b]c]+)", "abcb", {"a", "c"}},
           {R"([\u4e2d\x{6587}\x41]+)", "A\u4e2d\u6587b", {"A\u4e2d\u6587"}},
           {R"(x(?i)b|c)", "xBCxc", {"xB", "xc"}},
           {R"((?m)a.b)", "a\nb", {"a\nb"}},
           {R"([]a-]+)", "a]-b", {"a]-"}},
           {R"(\p{Han}+)", "\u6f22\u3002\u5b57", {"\u6f22", "\u5b57"}},
           {R"(\p{^L}+)", "ab12", {"12"}},
           {R"(a\vb)",
            "a\x0b"
            "b",
            {"a\x0b"
             "b"}},
           {R"(\p{Letter}+)", "ab1", {"ab"}},
       }) {
    CAPTURE(c.expression);
    CHECK(matches_of(c.expression, c.text) == c.matches);
  }
}

TEST_CASE("a match may be empty, but not right after another one") {
  CHECK(matches_of("\\b", "ab c") == Texts(4));
  CHECK(matches_of("a*", "ba") == Texts{"", "a"});
  CHECK(Regex("\\s*").replace("a b", "-") == "-a-b-");
}

TEST_CASE("what PCRE2 cannot match as Oniguruma does is refused by name") {
  const auto check = [](const std::string& expression, const std::string& sentence) {
    try {
      const Regex regex(expression);
      FAIL("not refused: " << expression);
    } catch (const Refusal& refusal) {
      const std::string said = refusal.what();
      CHECK_MESSAGE(said.find("The regular expression " + expression) == 0, said);
      CHECK_MESSAGE(said.find(sentence) != std::string::npos, said);
      CHECK_FALSE(refusal.hint().empty());
    }
  };
  check("a(?x) b", "(?x");
  check("(?~a)", "(?~");
  check("(*FAIL)", "(*");
  check("(a)\\1", "\\1");
  check("\\Qa\\E", "\\Q");
  check("\\xff", "a byte that is no character");
  check("\\x{110000}", "110000 is the number of no character");
  check("\\u12", "digits are missing");
  check("\\p{Klingon}", "the characters Klingon");
  check("\\pL", "a property needs braces");
  check("[[:foo:]]", "the characters foo");
  check("(?i)\\p{Lu}", "the characters Lu are not supported where case does not count");
  check("(?i:straSse)", "letters of which one letter is another form");
  check("(?i)\u00df", "letters of which one letter is another form");
  check("[z-a]", "a range is empty");
  check("[a-\\d]", "a class ends a range");
  check("[a", "it ends too early");
  check("[a&&]", "a class is empty");
  check("(a", "a group is not closed");
  check("a)", "no group is open");
  check("|*a", "there is nothing to repeat");
  check("a\\", "it ends too early");
  check(std::string(200, '['), "classes are nested too deep");
}
