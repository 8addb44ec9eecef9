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

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
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

/// The text of one JSON value: a string, or the key "text" of an object. `where` names it in refusals.
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

enum class Format { plain, json_lines, json_array };

bool is_named_json(const fs::path& file) {
  std::string extension = file.extension().string();
  for (char& letter : extension)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".json";
}

/// Judges by the content, because names are often wrong. A name for JSON only decides that what looks like
/// broken JSON is refused instead of read as plain text.
Format format_of(std::string_view text, const fs::path& file) {
  const auto begin = text.find_first_not_of(white_space);
  if (begin == text.npos) return Format::plain;
  const std::string_view content = text.substr(begin);
  if (content.front() == '[' && (is_named_json(file) || nlohmann::json::accept(content)))
    return Format::json_array;
  const auto line = content.substr(0, content.find('\n'));
  if (content.front() == '{' && nlohmann::json::accept(line)) return Format::json_lines;
  if (content.front() == '{' && nlohmann::json::accept(content))
    throw Refusal(fmt::format("{} is one JSON object over many lines.", file.filename().string()),
                  "Write a list of texts, or one object like {\"text\": \"...\"} per line.", file);
  return is_named_json(file) ? Format::json_lines : Format::plain;
}

struct Signature {
  std::string_view bytes;  // at the beginning of a file
  const char* what;
  const char* hint;
};

constexpr const char* decompress = "Decompress it first, and name the text file.";
constexpr const char* as_lines =
    "Write its column of texts as JSON lines, for example with pandas: "
    "to_json(..., orient=\"records\", lines=True).";

constexpr Signature signatures[] = {
    {"\x1F\x8B", "a gzip archive", decompress},
    {"\x28\xB5\x2F\xFD", "a zstd archive", decompress},
    {"\xFD"
     "7zXZ",
     "an xz archive", decompress},
    {"BZh", "a bzip2 archive", decompress},
    {"7z\xBC\xAF", "a 7z archive", decompress},
    {"PK\x03\x04", "a zip archive or an office document", "Unpack it, or save it as plain text."},
    {"PAR1", "a Parquet table", as_lines},
    {"ARROW1", "an Arrow table", as_lines},
    {"SQLite format 3", "an SQLite database", as_lines},
    {"%PDF-", "a PDF document", "Save its text as plain text, for example with pdftotext."},
    {"\xFF\xFE", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
    {"\xFE\xFF", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
    {"version https://git-lfs", "a Git LFS pointer, not the file itself",
     "Fetch the file with `git lfs pull` in its repository."},
};

/// Whether the first line is the header of a table with a column of texts: names without spaces between
/// commas or tabs.
bool is_table(std::string_view text) {
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  const char separator = line.find('\t') != line.npos ? '\t' : ',';
  if (line.find(separator) == line.npos) return false;
  bool has_text = false;
  for (std::size_t begin = 0; begin <= line.size();) {
    const auto end = std::min(line.find(separator, begin), line.size());
    std::string_view name = line.substr(begin, end - begin);
    if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    if (name.find_first_of(" \"") != name.npos) return false;
    has_text = has_text || name == "text" || name == "content";
    begin = end + 1;
  }
  return has_text;
}

void refuse_other_formats(std::string_view bytes, const fs::path& file) {
  const auto refuse = [&](const char* what, const char* hint) {
    throw Refusal(fmt::format("{} is {}.", file.filename().string(), what), hint, file);
  };
  for (const Signature& signature : signatures)
    if (bytes.starts_with(signature.bytes)) refuse(signature.what, signature.hint);
  if (is_table(bytes)) refuse("a table of comma or tab separated values", as_lines);
  if (bytes.substr(0, 4096).find('\0') != bytes.npos)
    refuse("a binary file", "Name a text file, or JSON lines like {\"text\": \"...\"}.");
}

std::vector<std::string> documents_in(std::string_view bytes, const fs::path& file) {
  refuse_other_formats(bytes, file);
  if (const auto invalid = find_invalid_utf8(bytes))
    throw Refusal(
        fmt::format("{} is not UTF-8 text: it goes wrong at byte {}.", file.filename().string(), *invalid),
        "Convert it to UTF-8, e.g. with iconv.", file);
  std::string_view text = bytes;
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const Format format = format_of(text, file);
  auto documents = format == Format::json_lines ? jsonl_documents(text, file)
                   : format == Format::json_array
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
  const auto first = head.find_first_not_of(white_space);
  if (first != head.npos && head[first] == '[') return {read_documents(file), 1};  // a part is no JSON list
  if (head.back() != '\n' && std::getline(in, line)) head += line;
  return {documents_in(head, file), static_cast<double>(head.size()) / static_cast<double>(all)};
}

}  // namespace ladimo
