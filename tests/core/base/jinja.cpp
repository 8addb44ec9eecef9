#include "jinja/template.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

using namespace ladimo;
using nlohmann::ordered_json;

namespace {

constexpr std::chrono::sys_seconds date = std::chrono::sys_days(std::chrono::year(2024) / 7 / 26);

std::string rendered(std::string_view source, const ordered_json& variables = ordered_json::object()) {
  return jinja::Template(source).render(variables, date);
}

/// What a template or its rendering refuses.
std::string refusal_of(std::string_view source, const ordered_json& variables = ordered_json::object()) {
  try {
    return "rendered: " + rendered(source, variables);
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    CHECK(refusal.problem().message.ends_with('.'));
    return refusal.problem().message;
  }
}

void check_refusal(std::string_view source, std::string_view sentence) {
  CAPTURE(source.substr(0, 200));
  const std::string said = refusal_of(source);
  CHECK_MESSAGE(said.find(sentence) != std::string::npos, said);
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

// The expected texts were made with jinja2 3.1.6 in the environment of transformers 5.24
// (_cached_compile_jinja_template). Whole templates are compared in chat_template.cpp.
TEST_CASE("operators bind and give what they do in Jinja") {
  const struct {
    const char* source;
    const char* text;
  } cases[] = {
      {"{{ 1 + 2 * 3 - 4 // 3 }}", "6"},
      {"{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ -7.5 // 2 }} {{ -7.5 % 2 }}",
       "-4 2 -2 3.5 -4.0 0.5"},
      {"{{ 'a' ~ 1 + 2 if false }}|{{ 'a' ~ (1 + 2) }}", "|a3"},
      {"{{ not 1 == 2 }} {{ 1 < 2 < 2 }} {{ 'b' not in 'abc' }}", "True False False"},
      {"{{ none or 'x' }} {{ 0 and 1 }} {{ [] or {} }}", "x 0 {}"},
      {"{{ -2 | abs }} {{ (-2) | abs }} {{ '-' * 3 }}", "2 2 ---"},
      {"{{ 'x' if 0 else 'y' if 0 else 'z' }}", "z"},
      {"{{ [1, 2, 3][1:] }} {{ 'hello'[-3:-1] }} {{ [1, 2, 3][::-2] }} {{ 'abc'[5:] }}", "[2, 3] ll [3, 1] "},
      {"{{ (1,) }} {{ (1, 2) == [1, 2] }} {{ 1 == true }} {{ 1.0 == 1 }}", "(1,) False True True"},
      {"{{ {'a': 1}.a }} {{ {'a': 1}['b'] is defined }} {{ {'items': 1}['items'] }}", "1 False 1"},
      {"{{ 'ab'.upper() ~ ' x '.strip() ~ 'a,b'.split(',')[1] }}", "ABxb"},
      {"{{ ' a  b '.split() }} {{ 'a,b,c'.split(',', 1) }}", "['a', 'b'] ['a', 'b,c']"},
      {"{{ 'xxaxx'.strip('x') }} {{ 'x'.startswith(('y', 'x')) }} {{ 'abc'.find('c') }}", "a True 2"},
      {"{{ 1e100 }} {{ 1e15 }} {{ 100000000000000000000.0 }} {{ 2.5e-7 }}",
       "1e+100 1000000000000000.0 1e+20 2.5e-07"},
      {"{% set a, b = 'xy' %}{{ b }}{{ a }}", "yx"},
      {"{% for a, b in {'k': 1}.items() %}{{ a }}{{ b }}{% endfor %}", "k1"},
      {"{% for x in 'añ' %}{{ x }},{% endfor %}", "a,ñ,"},
      {"{% for x in [] %}{% else %}none{% endfor %}", "none"},
      {"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}", "3"},
      {"{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "231"},
      {"{{ strftime_now('%d %b %Y, %A %H:%M') }}", "26 Jul 2024, Friday 00:00"},
      {"{{ {'a': [1, {}], 'b': 'é\\n\"'} | tojson }}", "{\"a\": [1, {}], \"b\": \"é\\n\\\"\"}"},
      {"{{ 'é🙂' | tojson(ensure_ascii=true) }}", "\"\\u00e9\\ud83d\\ude42\""},
      {"{{ {'b': [], 'a': [1]} | tojson(indent=2, sort_keys=true) }}",
       "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}"},
      {"{{ [3, 1, 2] | sort(reverse=true) | join('-') }} {{ 'b' in ['a'] }}", "3-2-1 False"},
      {"{{ missing | default('x') }}{{ '' | default('y') }}{{ '' | default('z', true) }}", "xz"},
      {"{{ 'a\nb\n\nc' | indent(2, first=true) }}", "  a\n  b\n\n  c"},
      {"{{ '12abc' | int }} {{ '12.7' | int }} {{ 'x' | int(-1) }} {{ '1.5' | float }}", "0 12 -1 1.5"},
      {"{{ none }}{{ true }}{{ missing }}", "NoneTrue"},
      {"a\r\nb\r{{ 1 }}\n\n", "a\nb\n1\n"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.source);
    CHECK(rendered(item.source) == item.text);
  }
}

TEST_CASE("what is not supported is refused by name, with its line") {
  check_refusal("\n{% include 'x' %}",
                "Line 2 of the chat template: the statement `include` is not supported.");
  check_refusal("{{ 1 }}\n{{ 'a' | wordcount }}",
                "Line 2 of the chat template: the filter `wordcount` is not supported.");
  check_refusal("{{ 1 is sameas 1 }}", "the test `sameas` is not supported");
  check_refusal("{{ 'a'.zfill(3) }}", "the method `zfill` is not supported");
  check_refusal("{{ {}.update() }}", "the method `update` is not supported");
  check_refusal("{{ 2 ** 3 }}", "the operator `**` is not supported");
  check_refusal("{% for x in [] recursive %}{% endfor %}", "a `recursive` loop is not supported");
  check_refusal("{% for x in [1] %}{{ loop.changed(x) }}{% endfor %}", "`loop.changed` is not supported");
  check_refusal("{% for x in [1] %}{% macro m() %}{% endmacro %}{% endfor %}", "a macro inside a loop");
  check_refusal("{{ cycler(1) }}", "`cycler` is not supported");
  check_refusal("{{ f(*[1]) }}", "`*` before an argument is not supported");
  check_refusal("{{ strftime_now('%U') }}", "a date with `%`");
  check_refusal("{{ 'É' | lower }}", "`lower` of letters beyond ASCII is not supported");
  check_refusal("{{ {1: 2} }}", "a whole number as a key of a dictionary is not supported");
  check_refusal("{{ 'a' | join(attribute='x', on=1) }}", "the argument `on` of `join` is not supported");
  check_refusal("{{ '%s' % 1 }}", "the formatting of a text by `%` is not supported");
}

TEST_CASE("a template that is wrong is refused with the place") {
  check_refusal("a\n\n{% if x %}", "Line 3 of the chat template: `endif` is missing.");
  check_refusal("{{ 'open }}", "a text in quotation marks has no end");
  check_refusal("{{ 1", "a tag has no `}}`");
  check_refusal("{# open", "a comment has no end");
  check_refusal("{% raw %}", "`raw` has no end");
  check_refusal("{{ (1] }}", "`]` closes nothing");
  check_refusal("{{ }}", "`}}` does not belong here");
  check_refusal("{% endif %}", "`endif` is not supported");
  check_refusal("{% break %}", "`break` stands outside of a loop");
  check_refusal("{{ 99999999999999999999 }}", "is out of range");
  check_refusal("{{ '\\ud800' }}", "names no character");
  check_refusal("{{ § }}", "`§` means nothing here");
  check_refusal("\n\n{{ missing.name }}", "Line 3 of the chat template: `missing` is not defined.");
  check_refusal("{{ missing + 'x' }}", "`missing` is not defined");
  check_refusal("{{ missing() }}", "there is no function `missing`");
  check_refusal("{{ 'a' + 1 }}", "`+` does not go with a text and a whole number");
  check_refusal("{{ 1 // 0 }}", "it divides by zero");
  check_refusal("{{ 9223372036854775807 + 1 }}", "a whole number is out of range");
  check_refusal("{{ 'a' < 1 }}", "a text and a whole number have no order");
  check_refusal("{% for x in 5 %}{% endfor %}", "there is nothing to go through in a whole number");
  check_refusal("{% set a.b = 1 %}", "`a` is no namespace");
  check_refusal("{% set a, b = [1] %}", "1 values do not fit 2 names");
  check_refusal("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "the macro `m` takes 1 arguments, not 2");
  check_refusal("{{ raise_exception('Roles must alternate') }}",
                "The chat template refuses the conversation: Roles must alternate.");
  CHECK(refusal_of("{{ raise_exception(x) }}", {{"x", repeated("é", 1000)}}).size() < 400);
}

TEST_CASE("a hostile template ends with a sentence") {
  const std::string too_much = "it takes too long or makes too much text", too_deep = "nested too deeply";
  check_refusal("{% for a in range(9999999999999) %}{% endfor %}", too_much);
  check_refusal("{% set r = range(9000) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
                too_much);
  check_refusal("{{ 'x' * 9999999999 }}", too_much);
  check_refusal("{{ [1] * 9223372036854775807 }}", too_much);
  check_refusal(
      "{% set n = namespace(x='xx') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
      too_much);
  check_refusal(
      "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
      "{{ n.x }}",
      too_much);
  check_refusal(
      "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
      "{{ n.x == [n.x] or n.x | tojson }}",
      too_much);
  check_refusal("{% set n = namespace(x=[]) %}{% for i in range(1000) %}{% set n.x = [n.x] %}{% endfor %}",
                "a value is nested more than 64 levels deep");
  check_refusal(
      "{% set n = namespace(x=[1]) %}{% for i in range(1000) %}{% for y in n.x %}{% set n.x = [loop] %}"
      "{% endfor %}{% endfor %}",
      "a value is nested more than 64 levels deep");
  check_refusal("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros call each other too deeply");
  check_refusal("{{ 'ab' | replace('a', 'x' * 100000000) | replace('x', 'y' * 100000000) }}", too_much);
  check_refusal("{{ " + repeated("(", 10000) + "1" + repeated(")", 10000) + " }}", too_deep);
  check_refusal("{{ " + repeated("not ", 10000) + "1 }}", too_deep);
  check_refusal("{{ " + repeated("- ", 10000) + "1 }}", too_deep);
  check_refusal("{{ 1" + repeated("+1", 10000) + " }}", too_deep);
  check_refusal("{{ 1" + repeated("|abs", 10000) + " }}", too_deep);
  check_refusal("{{ a" + repeated(".a", 10000) + " }}", too_deep);
  check_refusal(repeated("{% if a %}", 10000), too_deep);
  check_refusal("{{ 1" + repeated(" if 1 else 2", 10000) + " }}", too_deep);
  // A namespace may hold itself; nothing is left behind.
  CHECK(rendered("{% set n = namespace() %}{% set n.self = n %}{{ n.self.self is defined }}") == "True");
}
