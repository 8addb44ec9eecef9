#include "interrupt.h"

#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <thread>

namespace ladimo::cli {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers may only touch lock-free atomics");

extern "C" void request_stop(int signal) {
  if (stop.exchange(true)) _exit(128 + signal);
}

}  // namespace

const std::atomic<bool>& stop_requested() {
  struct sigaction action {};
  action.sa_handler = request_stop;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop;
}

void stop_at_end_of_stdin() {
  std::thread([] {
    char buffer[256];
    for (;;) {
      const auto count = read(STDIN_FILENO, buffer, sizeof buffer);
      if (count == 0 || (count < 0 && errno != EINTR)) break;
    }
    stop = true;
  }).detach();
}

}  // namespace ladimo::cli
