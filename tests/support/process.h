// Runs the command line as a user does: a process with arguments, two output streams and an exit status.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/temporary_folder.h"

namespace ladimo::testing {

struct Finished {
  int status = -1;  // exit status, or 128 + signal
  std::string out, err;
};

/// A running `ladimo` with its output going to files and its stdin held open.
class Process {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;

  /// `out` is the file for stdout. By default `wait` returns what was written there.
  explicit Process(const std::vector<std::string>& arguments, const Environment& environment = {},
                   const std::filesystem::path& out = {}) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("pipe");
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[0], STDIN_FILENO);
      redirect(out.empty() ? out_file() : out, STDOUT_FILENO);
      redirect(err_file(), STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
      std::vector<char*> argv = {const_cast<char*>(LADIMO_BINARY)};
      for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[0]);
    stdin_ = ends[1];
    fcntl(stdin_, F_SETFD, FD_CLOEXEC);
  }
  ~Process() {
    close_stdin();
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const { kill(child_, number); }
  /// Writes to the stdin of the process.
  void write(const std::string& text) const {
    if (::write(stdin_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("write");
  }
  void close_stdin() {
    if (stdin_ >= 0) close(stdin_);
    stdin_ = -1;
  }

  Finished wait() {
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    Finished finished;
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    finished.out = contents(out_file());
    finished.err = contents(err_file());
    return finished;
  }

  /// Waits until `condition` holds or the process ends.
  template <class Condition>
  void wait_until(Condition&& condition) const {
    while (!condition() && !has_ended()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::string out_so_far() const { return contents(out_file()); }

 private:
  bool has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  }
  std::filesystem::path out_file() const { return folder_.path() / "out"; }
  std::filesystem::path err_file() const { return folder_.path() / "err"; }
  static void redirect(const std::filesystem::path& file, int descriptor) {
    const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(opened, descriptor);
    close(opened);
  }
  static std::string contents(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  TemporaryFolder folder_;
  pid_t child_ = -1;
  int stdin_ = -1;
};

inline Finished run(const std::vector<std::string>& arguments, const Process::Environment& environment = {}) {
  return Process(arguments, environment).wait();
}

}  // namespace ladimo::testing
