// A command of the program in a process of its own, with limits. The process is forked from one that has
// loaded libtorch already, so that a call costs milliseconds and still ends in a crash, a hang or a lack of
// memory as it would for a user.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ladimo::testing {

struct Limits {
  int seconds = 20;
  std::uint64_t memory_bytes = std::uint64_t{6} << 30;  // of address space; libtorch alone takes over 1 GB
};

struct Ended {
  int status = -1;               // exit status; -1 after a signal
  int signal = 0;                // that ended the process; 0: none
  bool hung = false;             // ended by us, because its time was over
  double seconds = 0;            // until it ended
  std::uint64_t peak_bytes = 0;  // resident
  std::string out, err;
};

/// What a command reads on stdin. Stdin stays open until `answered` is on stdout; with an empty one it is
/// closed after `text`.
struct Input {
  std::string text, answered;
};

/// Runs `ladimo` with `arguments`. Precondition: this process has one thread.
Ended forked_call(const std::vector<std::string>& arguments, const Input& input, const Limits& limits);

}  // namespace ladimo::testing
