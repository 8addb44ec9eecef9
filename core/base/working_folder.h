// A folder under a temporary name, which gets its final name when the work in it is done.
#pragma once

#include <filesystem>

namespace ladimo {

class WorkingFolder {
 public:
  /// Makes a folder beside `path`. It is removed again unless it is committed.
  explicit WorkingFolder(std::filesystem::path path);
  ~WorkingFolder();
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Renames the folder to the path that it was made for.
  void commit();

 private:
  std::filesystem::path final_, path_;
};

}  // namespace ladimo
