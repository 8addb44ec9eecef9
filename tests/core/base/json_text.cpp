#include "base/json_text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;

TEST_CASE("JSON that is broken, too deep or out of range is refused with its place") {
  const auto refused = [](const std::string& text, const char* sentence, std::size_t offset = 0) {
    check_refused(sentence, [&] { parse_json(text, "a.json", "a.json", offset); });
  };
  refused("{\"a\":", "a.json is not valid JSON: error at byte 6");
  refused("{\"a\":", "at byte 14", 8);
  refused("[1, " + std::string(400, '9') + "]", "a.json contains a number that is out of range, at byte 4");
  refused("{\"a\": [1, 1e999]}", "out of range, at byte 10");
  refused(std::string(5000, '['), "a.json is nested more than 100 levels deep, at byte 100");
  refused("{\"a\": " + std::string(5000, '[') + std::string(5000, ']') + "}", "nested more than 100 levels");
}

TEST_CASE("a long value is cut in messages, between two characters") {
  CHECK(spelled_json(nlohmann::json::array({1, "a"})) == "[1,\"a\"]");
  const std::string cut = spelled_json(std::string(118, 'x') + "\u00E4\u00E4\u00E4");
  CHECK(cut == "\"" + std::string(118, 'x') + "...");
}

TEST_CASE("brackets in strings do not count as levels") {
  const std::string brackets(5000, '[');
  CHECK(parse_json("[\"" + brackets + "\\\"[\"]", "a.json", {})[0] == brackets + "\"[");
  CHECK(parse_json("[" + std::string(20, '7') + "]", "a.json", {})[0].is_number_float());
}
