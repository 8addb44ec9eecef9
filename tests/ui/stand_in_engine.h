// A shell script in the place of the engine.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <QString>

#include "support/temporary_folder.h"

namespace ladimo::testing {

class StandInEngine {
 public:
  explicit StandInEngine(const std::string& script) {
    std::ofstream(program_path()) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(program_path(), std::filesystem::perms::owner_all);
  }

  QString program() const { return QString::fromStdString(program_path().string()); }
  const TemporaryFolder& folder() const { return folder_; }

  /// Prints `output` and succeeds.
  static std::string printing(const std::string& output) { return "cat <<'END'\n" + output + "\nEND"; }

 private:
  std::filesystem::path program_path() const { return folder_ / "ladimo"; }

  TemporaryFolder folder_;
};

}  // namespace ladimo::testing
