// A folder for one test, removed at the end.
#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

namespace ladimo::testing {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::filesystem::create_directories(LADIMO_TEST_TEMP);
    std::string pattern = std::string(LADIMO_TEST_TEMP) + "/XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", pattern, {});
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace ladimo::testing
