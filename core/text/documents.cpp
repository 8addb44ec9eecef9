#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "text/corpus.h"
#include "text/text_format.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";

bool is_blank(std::string_view text) { return text.find_first_not_of(white_space) == text.npos; }

// Length of the well-formed UTF-8 character at `text[0]`; 0 when there is none (RFC 3629: no overlong forms,
// no surrogates, nothing above U+10FFFF).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !follows(1)) return 0;
  if (first < 0xE0) return 2;
  if (!follows(2) || (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if (first < 0xF0) return 3;
  const bool outside = (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return follows(3) && !outside ? 4 : 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

// Calls `use(line, number)` for every line, without its end (\n or \r\n); numbers count from 1.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    use(line, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string> plain_documents(std::string_view text) {
  std::vector<std::string> documents;
  bool inside = false;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    if (is_blank(line)) {
      inside = false;
      return;
    }
    if (inside)
      documents.back().append("\n").append(line);
    else
      documents.emplace_back(line);
    inside = true;
  });
  return documents;
}

/// The value of the key "text" of a JSON object. `where` names the object in refusals.
std::string text_in(const nlohmann::json& json, const std::string& where, const fs::path& file) {
  const auto refuse = [&](const char* what) {
    throw Refusal(fmt::format("{} of {} {}.", where, file.filename().string(), what),
                  "Every line or element must be a JSON object like {\"text\": \"...\"}.", file);
  };
  if (json.is_discarded()) refuse("is not valid JSON");
  if (!json.is_object() || !json.contains("text")) refuse("has no key \"text\"");
  if (!json["text"].is_string()) refuse("has a \"text\" that is not a string");
  return json["text"];
}

std::vector<std::string> jsonl_documents(std::string_view text, const fs::path& file) {
  std::vector<std::string> documents;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (is_blank(line)) return;
    auto document =
        text_in(nlohmann::json::parse(line, nullptr, false), fmt::format("Line {}", number), file);
    if (!is_blank(document)) documents.push_back(std::move(document));
  });
  return documents;
}

std::vector<std::string> array_documents(const nlohmann::json& array, const fs::path& file) {
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto document = array[i].is_string() ? array[i].get<std::string>()
                                         : text_in(array[i], fmt::format("Element {}", i + 1), file);
    if (!is_blank(document)) documents.push_back(std::move(document));
  }
  return documents;
}

std::vector<std::string> documents_in(std::string_view bytes, const fs::path& file) {
  refuse_foreign_text(bytes, file);
  if (const auto invalid = find_invalid_utf8(bytes))
    throw Refusal(
        fmt::format("{} is not UTF-8 text: it goes wrong at byte {}.", file.filename().string(), *invalid),
        "Convert it to UTF-8, e.g. with iconv.", file);
  const std::string_view text = without_mark(bytes);
  const TextFormat format = format_of(text, file);
  auto documents = format == TextFormat::json_lines ? jsonl_documents(text, file)
                   : format == TextFormat::json_array
                       ? array_documents(parse_json(text, file.filename().string(), file), file)
                       : plain_documents(text);
  if (documents.empty())
    throw Refusal(fmt::format("{} holds no text.", file.filename().string()), "Give a file with text in it.",
                  file);
  return documents;
}

}  // namespace

std::vector<std::string> read_documents(const fs::path& file) { return documents_in(read_file(file), file); }

Beginning read_beginning(const fs::path& file, std::size_t bytes) {
  std::error_code unknown;
  const auto all = fs::file_size(file, unknown);
  if (unknown || all <= bytes) return {read_documents(file), 1};
  std::string head(bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  std::string line;  // the rest of the line that `head` ends in
  if (!in.read(head.data(), static_cast<std::streamsize>(bytes))) return {read_documents(file), 1};
  if (begins_list(head)) return {read_documents(file), 1};  // a part of a JSON list cannot be parsed
  if (head.back() != '\n' && std::getline(in, line)) head += line;
  return {documents_in(head, file), static_cast<double>(head.size()) / static_cast<double>(all)};
}

}  // namespace ladimo
