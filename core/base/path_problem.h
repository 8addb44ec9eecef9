// Why a path cannot be used. Absent, a dangling link, not permitted and the wrong kind of thing are told
// apart, because each has another remedy.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace ladimo {

/// Why `path` is not a folder that can be listed. Absent when it is one.
std::optional<Problem> folder_problem(const std::filesystem::path& path);

/// Why `path` is not a regular file that can be read. Absent when it is one. A pipe is refused, because files
/// are read more than once.
std::optional<Problem> file_problem(const std::filesystem::path& path);

/// Whether a folder has an entry `path`, even one that is a link to nothing. Reading such an entry then says
/// what is wrong with it.
bool has_entry(const std::filesystem::path& path);

/// Says that `file`, which begins with `bytes`, is a Git LFS pointer. Absent when it is none.
std::optional<Problem> lfs_pointer_problem(const std::filesystem::path& file, std::string_view bytes);

/// What `file`, which begins with `bytes`, holds in place of the data that its name promises: a Git LFS
/// pointer, or the web page of a download that failed. Absent when it is neither.
std::optional<Problem> stand_in_problem(const std::filesystem::path& file, std::string_view bytes);

}  // namespace ladimo
