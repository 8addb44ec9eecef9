// Why a path cannot be used. Absent, a dangling link, not permitted and the wrong kind of thing are told
// apart, because each has another remedy.
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.h"

namespace ladimo {

/// Why `path` is not a folder that can be listed. Absent when it is one.
std::optional<Problem> folder_problem(const std::filesystem::path& path);

/// Why `path` is not a regular file that can be read. Absent when it is one. A pipe is refused, because files
/// are read more than once.
std::optional<Problem> file_problem(const std::filesystem::path& path);

/// What `file` holds in place of what its name promises: a Git LFS pointer, or the web page of a download
/// that failed. Absent when it is neither, or cannot be read.
std::optional<Problem> stand_in_problem(const std::filesystem::path& file);

}  // namespace ladimo
