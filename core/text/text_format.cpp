#include "text/text_format.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// `text` from its first character that is not white space.
std::string_view content_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\v\f"), text.size()));
  return text;
}

bool is_named_json(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".jsonl" || extension == ".ndjson" || extension == ".json";
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
    {"BZh91AY&SY", "a bzip2 archive", decompress},
    {"7z\xBC\xAF", "a 7z archive", decompress},
    {"PK\x03\x04", "a zip archive or an office document", "Unpack it, or save it as plain text."},
    {"PAR1", "a Parquet table", as_lines},
    {"ARROW1", "an Arrow table", as_lines},
    {"SQLite format 3", "an SQLite database", as_lines},
    {"%PDF-", "a PDF document", "Save its text as plain text, for example with pdftotext."},
    {"\xFF\xFE", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
    {"\xFE\xFF", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
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

}  // namespace

std::string_view without_mark(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  return text;
}

bool begins_list(std::string_view text) { return content_of(without_mark(text)).starts_with('['); }

TextFormat format_of(std::string_view text, const fs::path& file) {
  const std::string_view content = content_of(text);
  if (content.empty()) return TextFormat::plain;
  if (content.front() == '[' && (is_named_json(file) || nlohmann::json::accept(content)))
    return TextFormat::json_array;
  const auto line = content.substr(0, content.find('\n'));
  if (content.front() == '{' && nlohmann::json::accept(line)) return TextFormat::json_lines;
  if (content.front() == '{' && nlohmann::json::accept(content))
    throw Refusal(fmt::format("{} is one JSON object over many lines.", file.filename().string()),
                  "Write a list of texts, or one object like {\"text\": \"...\"} per line.", file);
  return is_named_json(file) ? TextFormat::json_lines : TextFormat::plain;
}

void refuse_foreign_text(std::string_view bytes, const fs::path& file) {
  const auto refuse = [&](const char* what, const char* hint) {
    throw Refusal(fmt::format("{} is {}.", file.filename().string(), what), hint, file);
  };
  if (const auto pointer = lfs_pointer_problem(file, bytes)) throw Refusal(*pointer);
  for (const Signature& signature : signatures)
    if (bytes.starts_with(signature.bytes)) refuse(signature.what, signature.hint);
  if (is_table(without_mark(bytes))) refuse("a table of comma or tab separated values", as_lines);
  if (bytes.substr(0, 4096).find('\0') != bytes.npos)
    refuse("a binary file", "Name a text file, or JSON lines like {\"text\": \"...\"}.");
}

}  // namespace ladimo
