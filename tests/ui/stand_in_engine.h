// Shell scripts in place of the engine and of ssh.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <QString>

#include "support/temporary_folder.h"
#include "ui/engine/engine.h"

namespace ladimo::testing {

/// A script called `name` in a folder of its own.
class Script {
 public:
  Script(const std::string& name, const std::string& script) : path_(folder_ / name) {
    std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  QString program() const { return QString::fromStdString(path_.string()); }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_;
};

class StandInEngine : public Script {
 public:
  explicit StandInEngine(const std::string& script) : Script("ladimo", script) {}

  ui::Engine engine() const { return {program(), {}}; }

  /// A script that prints `output` and succeeds.
  static std::string printing(const std::string& output) { return "cat <<'END'\n" + output + "\nEND"; }
  /// A script that ends with the object `json` as its result.
  static std::string finding(const std::string& json) {
    const std::string rest = json.substr(1);
    return printing(R"({"event":"result")" + (rest == "}" ? "" : "," + rest));
  }
  /// A script that sends one error and ends with `status`.
  static std::string complaining(const std::string& message, const std::string& hint, int status) {
    return printing(R"({"event":"error","message":")" + message + R"(","hint":")" + hint +
                    R"(","path":""})") +
           "\nexit " + std::to_string(status);
  }
};

/// A script in place of ssh. By default it runs on this machine the command line meant for the other one.
class StandInSsh : public Script {
 public:
  explicit StandInSsh(const std::string& script = run_here) : Script("ssh", script) {}

  ui::Engine engine(const QString& program) const {
    return {program, QStringLiteral("far"), Script::program()};
  }

  static constexpr const char* run_here = R"(for last; do :; done; exec sh -c "$last")";
};

}  // namespace ladimo::testing
