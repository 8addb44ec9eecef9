// The log: stderr for a person, `log.txt` in the run folder for later.
#pragma once

#include <filesystem>
#include <string_view>

namespace ladimo {

enum class LogLevel { quiet, normal, debug };

/// Sets up spdlog's default logger on stderr: stdout belongs to results.
void start_log(LogLevel level);
/// Makes the log also append to a file. Throws Error when the file cannot be opened.
void log_to_file(const std::filesystem::path& path);
/// Writes a line to the file alone, or also to stderr after start_log(LogLevel::debug).
void log_debug(std::string_view message);

}  // namespace ladimo
