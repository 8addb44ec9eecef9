#include "text/text_format.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/format.h"
#include "base/path_problem.h"
#include "text/table.h"

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

/// A table without a header, or with one column, has no other sign than its name.
bool is_named_table(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".csv" || extension == ".tsv";
}

struct Signature {
  std::string_view bytes;  // at the beginning of a file
  const char* what;
  const char* hint;
};

constexpr const char* decompress = "Decompress it first, and use the text file.";
constexpr const char* as_lines =
    "Write its column of texts as JSON Lines, for example with pandas: to_json(..., orient=\"records\", "
    "lines=True).";

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
    {"{\\rtf", "an RTF document", "Save it as plain text."},
    {"%PDF-", "a PDF document", "Save its text as plain text, for example with pdftotext."},
    {std::string_view("\xFF\xFE\0\0", 4), "UTF-32 text",
     "Convert it to UTF-8: iconv -f UTF-32 -t UTF-8 FILE > NEW."},
    {"\xFF\xFE", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
    {"\xFE\xFF", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."},
};

/// Whether `content` begins as JSON with texts does: an object with a key, or a list of objects or strings.
/// Prose may begin with a brace or a bracket too, but hardly so.
bool begins_as_json(std::string_view content, char bracket) {
  if (!content.starts_with(bracket)) return false;
  const auto inner = content_of(content.substr(1));
  if (bracket == '{') return inner.starts_with('"') && inner.find("\":") < inner.find('\n');
  return inner.starts_with('"') || begins_as_json(inner, '{');
}

/// What UTF-16 or UTF-32 text without a byte order mark is, which has zero bytes at regular places; null for
/// other bytes.
const Signature* wide_text(std::string_view bytes) {
  static constexpr Signature kinds[] = {
      {"", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16LE -t UTF-8 FILE > NEW."},
      {"", "UTF-16 text", "Convert it to UTF-8: iconv -f UTF-16BE -t UTF-8 FILE > NEW."},
      {"", "UTF-32 text", "Convert it to UTF-8: iconv -f UTF-32LE -t UTF-8 FILE > NEW."},
      {"", "UTF-32 text", "Convert it to UTF-8: iconv -f UTF-32BE -t UTF-8 FILE > NEW."}};
  std::size_t zeros[4] = {};  // by the place in four bytes
  for (std::size_t i = 0; i < bytes.size(); ++i) zeros[i % 4] += bytes[i] == '\0' ? 1 : 0;
  const std::size_t most = bytes.size() / 8;  // of bytes.size() / 4: half of the characters
  const auto many = [&](std::size_t place) { return zeros[place] > most; };
  if (zeros[0] == 0 && zeros[2] == 0 && many(1) && many(3)) return &kinds[0];
  if (zeros[1] == 0 && zeros[3] == 0 && many(0) && many(2)) return &kinds[1];
  if (zeros[0] == 0 && many(1) && many(2) && many(3)) return &kinds[2];
  if (zeros[3] == 0 && many(0) && many(1) && many(2)) return &kinds[3];
  return nullptr;
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
  if (content.front() == '[' &&
      (is_named_json(file) || begins_as_json(content, '[') || nlohmann::json::accept(content)))
    return TextFormat::json_array;
  const auto line = content.substr(0, content.find('\n'));
  if (content.front() == '{' && nlohmann::json::accept(line)) return TextFormat::json_lines;
  if (content.front() == '{' && nlohmann::json::accept(content))
    throw Refusal(fmt::format("{} is one JSON object over many lines.", file.filename().string()),
                  "Write a list of texts, or one object like {\"text\": \"...\"} per line.", file);
  return is_named_json(file) || begins_as_json(content, '{') ? TextFormat::json_lines : TextFormat::plain;
}

void refuse_foreign_text(std::string_view bytes, const fs::path& file) {
  const auto refuse = [&](const char* what, const char* hint) {
    throw Refusal(fmt::format("{} is {}.", file.filename().string(), what), hint, file);
  };
  if (const auto pointer = lfs_pointer_problem(file, bytes)) throw Refusal(*pointer);
  for (const Signature& signature : signatures)
    if (bytes.starts_with(signature.bytes)) refuse(signature.what, signature.hint);
  if (is_named_table(file) || is_table(without_mark(bytes)))
    refuse("a table of comma or tab separated values", as_lines);
  const auto head = bytes.substr(0, 4096);
  if (const Signature* wide = wide_text(head)) refuse(wide->what, wide->hint);
  if (head.find('\0') != bytes.npos)
    refuse("a binary file", "Choose a text file, or JSON Lines like {\"text\": \"...\"}.");
}

}  // namespace ladimo
