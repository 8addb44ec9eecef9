#include "base/path_problem.h"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>

#include "base/format.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// What keeps `path` from being reached at all; `kind` is "file" or "folder".
std::optional<Problem> unreachable(const fs::path& path, const char* kind) {
  std::error_code code, unknown;
  if (path.empty()) return Problem{fmt::format("The name of a {} is empty.", kind), "Give a name.", path};
  const auto found = fs::status(path, code);
  if (fs::exists(found)) return std::nullopt;
  if (fs::is_symlink(fs::symlink_status(path, unknown)))
    return Problem{
        fmt::format("{} is a link to {}, which does not exist.", path.string(),
                    fs::read_symlink(path, unknown).string()),
        fmt::format("Restore what it points to, or use the {} itself. In a cache, download it again.", kind),
        path};
  if (found.type() == fs::file_type::not_found)
    return Problem{fmt::format("There is no {} {}.", kind, path.string()), "Check the name.", path};
  return Problem{fmt::format("The {} {} cannot be reached: {}.", kind, path.string(), code.message()),
                 "Check the name, and the permissions of the folders above it.", path};
}

Problem not_permitted(const fs::path& path) {
  return {fmt::format("No permission to read {}.", path.string()),
          "Change its permissions (chmod), or use a copy of your own.", path};
}

}  // namespace

std::optional<Problem> folder_problem(const fs::path& path) {
  if (auto problem = unreachable(path, "folder")) return problem;
  if (!fs::is_directory(path)) {
    if (!fs::is_regular_file(path))
      return Problem{fmt::format("{} is a pipe or a device, not a folder.", path.string()),
                     "Choose a folder.", path};
    std::error_code code;
    const fs::path parent = fs::absolute(path, code).parent_path();  // "." at a sentence's end reads as ".."
    return Problem{fmt::format("{} is a file, not a folder.", path.string()),
                   fmt::format("Use the folder that it is in: {}.", parent.string()), path};
  }
  if (::access(path.c_str(), R_OK | X_OK) != 0) return not_permitted(path);
  return std::nullopt;
}

std::optional<Problem> file_problem(const fs::path& path) {
  if (auto problem = unreachable(path, "file")) return problem;
  if (fs::is_directory(path))
    return Problem{fmt::format("{} is a folder, not a file.", path.string()), "Choose a file.", path};
  if (!fs::is_regular_file(path))
    return Problem{fmt::format("{} is a pipe or a device, not a file.", path.string()),
                   "Save its output to a file and use that, because it is read more than once.", path};
  if (::access(path.c_str(), R_OK) != 0) return not_permitted(path);
  return std::nullopt;
}

bool has_entry(const fs::path& path) {
  std::error_code code;
  return fs::exists(fs::symlink_status(path, code));
}

std::optional<Problem> lfs_pointer_problem(const fs::path& file, std::string_view bytes) {
  if (!bytes.starts_with("version https://git-lfs")) return std::nullopt;
  return Problem{fmt::format("{} is a Git LFS pointer, not the file itself.", file.filename().string()),
                 "Download the file with `git lfs pull` in its repository, or download it from the Hub.",
                 file};
}

std::optional<Problem> stand_in_problem(const fs::path& file, std::string_view bytes) {
  if (auto pointer = lfs_pointer_problem(file, bytes)) return pointer;
  const auto begin = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
  const std::string head = lower_case(bytes.substr(begin, 16));
  if (!head.starts_with("<!doctype html") && !head.starts_with("<html")) return std::nullopt;
  return Problem{fmt::format("{} is a web page, not the file itself.", file.filename().string()),
                 "Download it again. You may have to log in or accept the model's license first.", file};
}

}  // namespace ladimo
