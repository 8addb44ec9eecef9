#include "base/machine.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

using namespace ladimo;

TEST_CASE("the load of other programs contains a program that keeps a processor busy") {
  using Clock = std::chrono::steady_clock;
  constexpr auto time = std::chrono::milliseconds(400);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const auto end = Clock::now() + 3 * time; Clock::now() < end;) continue;
    ::_exit(0);
  }
  const OtherLoad others;
  std::this_thread::sleep_for(time);
  const auto share = others.share();
  ::waitpid(child, nullptr, 0);
  if (!share) return;  // this system does not say
  CHECK(*share >= 0.5 / std::thread::hardware_concurrency());
  CHECK(*share <= 1);
}
