#include "checkpoint/gguf_pre_tokenizers.h"

#include <algorithm>

namespace ladimo {
namespace {

// The expressions are those of the tokenizer.json files that llama.cpp's names stand for.

/// Llama 3: digits in groups of up to three.
constexpr std::string_view llama3 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r"
    "\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/// Qwen2: digits alone.
constexpr std::string_view qwen2 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/// Mistral's Tekken: words end where capital letters begin.
constexpr std::string_view tekken =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r"
    "\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^"
    "\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/// GPT-4o (o200k): as Tekken, with English contractions, and digits in groups.
constexpr std::string_view gpt4o =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|"
    "'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm"
    "}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*["
    "\\r\\n]+|\\s+(?!\\S)|\\s+";
/// DeepSeek LLM and Coder.
constexpr std::string_view line_ends = "[\\r\\n]";
/// DeepSeek LLM: letters of the scripts that have capitals.
constexpr std::string_view deepseek_letters =
    "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af"
    "\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5"
    "\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba"
    "\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45"
    "\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-"
    "\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107"
    "\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f"
    "\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d"
    "\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17"
    "\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb"
    "\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+";
/// DeepSeek LLM: signs, also of full width.
constexpr std::string_view deepseek_signs =
    "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+";
/// DeepSeek LLM.
constexpr std::string_view trailing_space = "\\s+$";
/// DeepSeek LLM and Coder.
constexpr std::string_view deepseek_cjk = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";
/// DeepSeek V3.
constexpr std::string_view deepseek3_digits = "\\p{N}{1,3}";
/// DeepSeek V3.
constexpr std::string_view deepseek3_cjk = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
/// DeepSeek V3.
constexpr std::string_view deepseek3 =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]"
    "+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/// What llama.cpp assumes of a tokenizer that its converter did not recognise.
constexpr std::string_view signs = "[\\p{P}\\$\\+<=>\\^~\\|]+";
/// GPT-2.
constexpr std::string_view gpt2_words =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/// GPT-2 after every digit stands alone.
GgufPreTokenizer digits_alone(std::string_view name) {
  return {.name = name, .digits_alone = true, .gpt2 = true};
}
GgufPreTokenizer like_gpt2(std::string_view name) { return {.name = name, .gpt2 = true}; }
GgufPreTokenizer like_llama3(std::string_view name) {
  return {.name = name, .expressions = {llama3}, .whole_words = true, .adds_bos = true};
}
GgufPreTokenizer by(std::string_view name, std::vector<std::string_view> expressions) {
  return {.name = name, .expressions = std::move(expressions)};
}

const std::vector<GgufPreTokenizer>& table() {
  static const std::vector<GgufPreTokenizer> rows = {
      like_llama3("llama-bpe"),
      like_llama3("llama3"),
      like_llama3("llama-v3"),
      like_llama3("falcon3"),
      by("dbrx", {llama3}),
      by("smaug-bpe", {llama3}),
      {.name = "qwen2", .expressions = {qwen2}, .composes = true},
      by("deepseek-r1-qwen", {qwen2}),
      by("megrez", {qwen2}),
      {.name = "tekken", .expressions = {tekken}, .whole_words = true, .adds_bos = true},
      by("gpt-4o", {gpt4o}),
      like_gpt2("gpt-2"),
      like_gpt2("phi-2"),
      like_gpt2("olmo"),
      like_gpt2("mpt"),
      digits_alone("smollm"),
      digits_alone("starcoder"),
      digits_alone("refact"),
      digits_alone("command-r"),
      digits_alone("codeshell"),
      digits_alone("exaone"),
      digits_alone("minerva-7b"),
      {.name = "deepseek-llm",
       .expressions = {line_ends, deepseek_letters, deepseek_signs, trailing_space, deepseek_cjk},
       .digits_alone = true},
      {.name = "deepseek-coder",
       .expressions = {line_ends, "\\s?\\p{L}+", "\\s?\\p{P}+", deepseek_cjk},
       .digits_alone = true},
      by("deepseek-v3", {deepseek3_digits, deepseek3_cjk, deepseek3}),
      by("default", {signs, gpt2_words, "\\p{N}+", "[0-9][0-9][0-9]"}),
  };
  return rows;
}

}  // namespace

const GgufPreTokenizer* find_pre_tokenizer(std::string_view name) {
  const auto found = std::ranges::find(table(), name, &GgufPreTokenizer::name);
  return found == table().end() ? nullptr : &*found;
}

const GgufPreTokenizer* find_pre_tokenizer_like(const GgufPreTokenizer& like) {
  const auto found = std::ranges::find_if(table(), [&](const GgufPreTokenizer& row) {
    return row.expressions == like.expressions && row.digits_alone == like.digits_alone &&
           row.gpt2 == like.gpt2 && row.composes == like.composes && row.whole_words == like.whole_words;
  });
  return found == table().end() ? nullptr : &*found;
}

}  // namespace ladimo
