// What format a text file has. It is judged by the content, because names are often wrong.
#pragma once

#include <filesystem>
#include <string_view>

namespace ladimo {

enum class TextFormat { plain, json_lines, json_array };

/// `text` without the byte order mark that it may begin with.
std::string_view without_mark(std::string_view text);

/// Whether the first character of `text` that is not white space is that of a JSON list.
bool begins_list(std::string_view text);

/// The format of UTF-8 text without a byte order mark. The name of `file` only decides that what looks like
/// broken JSON is refused later instead of being read as plain text. Throws Refusal for one JSON object over
/// many lines.
TextFormat format_of(std::string_view text, const std::filesystem::path& file);

/// Throws Refusal that says what to do with a file whose bytes are no UTF-8 text, JSON lines or JSON list: an
/// archive, a table, a document, UTF-16, a Git LFS pointer.
void refuse_foreign_text(std::string_view bytes, const std::filesystem::path& file);

}  // namespace ladimo
