// Environment that OpenMP reads before main() runs.
#include <unistd.h>
#include <cstddef>
#include <cstring>
#include <iterator>

namespace {

constexpr char wait_policy[] = "OMP_WAIT_POLICY=passive";

/// OpenMP threads that spin while they wait make everything ten times slower as soon as another program wants
/// the processor; ours sleep. libgomp reads the variable when it is loaded, so the program starts itself
/// again with it, before the constructors of its libraries have run (0.4 s; a caller that sets the variable
/// saves them).
void start_with_sleeping_threads(int, char** argv, char** environment) {
  static char* extended[4096];
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (std::strncmp(environment[count], "OMP_WAIT_POLICY=", 16) == 0 || count + 2 >= std::size(extended))
      return;
    extended[count] = environment[count];
  }
  extended[count] = const_cast<char*>(wait_policy);
  execve("/proc/self/exe", argv, extended);
}

__attribute__((section(".preinit_array"), used)) void (*const start)(int, char**,
                                                                     char**) = start_with_sleeping_threads;

}  // namespace
