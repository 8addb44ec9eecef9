// Environment that OpenMP reads before main() runs.
#include <unistd.h>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "base/sleeping_threads.h"

namespace {

bool same_name(const char* a, const char* b) { return std::strncmp(a, b, std::strcspn(b, "=") + 1) == 0; }

/// libgomp reads the variables when it is loaded, so the program starts itself again with them, before the
/// constructors of its libraries have run (0.4 s; a caller that sets one of them saves that).
void start_with_sleeping_threads(int, char** argv, char** environment) {
  static char* extended[4096];
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    for (const char* variable : ladimo::sleeping_threads)
      if (same_name(environment[count], variable)) return;
    if (count + ladimo::sleeping_threads.size() + 1 >= std::size(extended)) return;
    extended[count] = environment[count];
  }
  for (const char* variable : ladimo::sleeping_threads) extended[count++] = const_cast<char*>(variable);
  execve("/proc/self/exe", argv, extended);
}

__attribute__((section(".preinit_array"), used)) void (*const start)(int, char**,
                                                                     char**) = start_with_sleeping_threads;

}  // namespace
