// One of every file that the program reads, in a folder of their own that is put back after every call.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "forked_call.h"
#include "support/temporary_folder.h"

namespace ladimo::testing {

/// A kind of input: its files, and the commands that read them. Requests to `serve` are in no file.
struct Subject {
  std::string name;
  std::vector<std::filesystem::path> files;  // below the place
  std::vector<std::vector<std::string>> commands;
  std::vector<std::vector<std::string>> slow_commands;  // take most of a second, so they run less often
};

class Place {
 public:
  /// Makes a model, a run with everything that a run may hold, and its export. Takes about two seconds.
  Place();

  std::filesystem::path path(const std::filesystem::path& name) const { return root_ / name; }
  const std::vector<Subject>& subjects() const { return subjects_; }

  /// Replaces a file, or puts a folder in its place when there are no bytes.
  void replace(const std::filesystem::path& name, const std::optional<std::string>& bytes);
  /// Remembers how things are now.
  void look() { looked_ = entries(); }
  /// What differs from when the place was last looked at, a line each.
  std::vector<std::string> changes() const;
  /// Makes everything as it was in the beginning.
  void restore();

 private:
  struct Entry {
    bool folder = false;
    std::uintmax_t bytes = 0;
    std::filesystem::file_time_type time;
    bool operator==(const Entry&) const = default;
  };
  using Entries = std::map<std::filesystem::path, Entry>;

  Entries entries() const;
  std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) const;
  void make_models();
  void make_run();
  void make_small_files();
  void list_subjects();

  TemporaryFolder folder_;
  std::filesystem::path root_ = folder_ / "work", kept_ = folder_ / "kept";
  Entries before_, looked_;
  // The clock of the file system ticks too seldom to show that these were changed.
  std::set<std::filesystem::path> replaced_;
  std::vector<Subject> subjects_;
};

}  // namespace ladimo::testing
