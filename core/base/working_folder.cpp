#include "base/working_folder.h"

#include <unistd.h>

#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace ladimo {

WorkingFolder::WorkingFolder(std::filesystem::path path)
    : final_(std::move(path)),
      path_(final_.parent_path() / fmt::format(".{}.tmp-{}", final_.filename().string(), ::getpid())) {
  create_directories(path_);
}

WorkingFolder::~WorkingFolder() {
  std::error_code ignored;
  if (!path_.empty()) remove_all(path_, ignored);
}

void WorkingFolder::commit() {
  rename(path_, final_);
  path_.clear();
}

}  // namespace ladimo
