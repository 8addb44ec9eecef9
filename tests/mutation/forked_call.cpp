#include "forked_call.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "program.h"

namespace ladimo::testing {
namespace {

/// A file in memory that is closed at the end.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("call", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("memfd_create");
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::string content() const {
    struct stat status {};
    ::fstat(descriptor_, &status);
    std::string all(static_cast<std::size_t>(status.st_size), '\0');
    const auto count = ::pread(descriptor_, all.data(), all.size(), 0);
    all.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return all;
  }

 private:
  int descriptor_;
};

/// The writing end of a pipe that never blocks.
class Feed {
 public:
  explicit Feed(std::string text) : text_(std::move(text)) {
    if (::pipe2(ends_, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
  }
  ~Feed() {
    close_reading();
    close_writing();
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  int reading() const { return ends_[0]; }
  void close_reading() { close_end(ends_[0]); }
  void close_writing() { close_end(ends_[1]); }
  /// Writes what the pipe takes now.
  void write_some() {
    const auto count = ::write(ends_[1], text_.data() + written_, text_.size() - written_);
    if (count > 0) written_ += static_cast<std::size_t>(count);
  }
  bool all_written() const { return written_ == text_.size(); }

 private:
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  int ends_[2] = {-1, -1};
  std::string text_;
  std::size_t written_ = 0;
};

[[noreturn]] void become_command(std::vector<std::string> arguments, Feed& in, const MemoryFile& out,
                                 const MemoryFile& err, const Limits& limits) {
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(in.reading(), STDIN_FILENO);
  in.close_writing();
  ::dup2(out.descriptor(), STDOUT_FILENO);
  ::dup2(err.descriptor(), STDERR_FILENO);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__  // its shadow alone takes terabytes of address space
  const rlimit memory{limits.memory_bytes, limits.memory_bytes};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
  arguments.insert(arguments.begin(), "ladimo");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int status = cli::run(static_cast<int>(arguments.size()), argv.data(), cli::engine_commands());
  std::fflush(nullptr);
  ::_exit(status);  // tearing down libtorch takes five times as long as a refusal
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Feeds the child until it ends. Returns whether it did so within `seconds`.
bool ends_within(pid_t child, int seconds, Feed& feed, const Input& input, const MemoryFile& out) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (handle < 0) throw std::runtime_error("pidfd_open");
  const auto start = Clock::now();
  bool ended = false, feeding = true;
  while (!ended && seconds_since(start) < seconds) {
    if (feeding) {
      feed.write_some();
      feeding = !feed.all_written() ||
                (!input.answered.empty() && out.content().find(input.answered) == std::string::npos);
      if (!feeding) feed.close_writing();
    }
    pollfd watched{handle, POLLIN, 0};
    ended = ::poll(&watched, 1, feeding ? 5 : 200) > 0;
  }
  ::close(handle);
  return ended;
}

}  // namespace

Ended forked_call(const std::vector<std::string>& arguments, const Input& input, const Limits& limits) {
  ::signal(SIGPIPE, SIG_IGN);  // a command may end before it has read its input
  const MemoryFile out, err;
  Feed feed(input.text);
  std::fflush(nullptr);  // else both processes would write what is buffered
  const auto start = Clock::now();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) become_command(arguments, feed, out, err, limits);
  feed.close_reading();
  Ended ended;
  ended.hung = !ends_within(child, limits.seconds, feed, input, out);
  if (ended.hung) ::kill(child, SIGKILL);
  int status = 0;
  rusage usage{};
  while (::wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ended.seconds = seconds_since(start);
  ended.peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.out = out.content();
  ended.err = err.content();
  return ended;
}

}  // namespace ladimo::testing
