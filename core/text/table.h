// Tables of separated values (CSV, TSV), which are not read as text.
#pragma once

#include <string_view>

namespace ladimo {

/// Whether `text` is a table: its first line is a header of short names, and one of them says that its column
/// holds the texts, or the records that follow have as many fields as the header.
bool is_table(std::string_view text);

}  // namespace ladimo
