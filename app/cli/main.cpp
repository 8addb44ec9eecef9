// `ladimo`: answers what needs no model itself, and becomes the engine for everything else. Loading libtorch
// takes most of a second, too long for somebody who only opens a run.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "program.h"

namespace {

/// OpenMP threads that spin while they wait make everything ten times slower as soon as another program wants
/// the processor. Threads that sleep at once cost a third of the speed of work in small pieces (the finish of
/// the demo: 300 against 400 of 1000 parts in 40 s, 2 cores). libgomp reads how long they spin, in rounds,
/// from the second variable; other OpenMP libraries know the first. Both must be there when a program starts.
constexpr const char* sleeping_threads[] = {"OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT=5000"};

bool needs_no_model(std::string_view word) {
  if (word == "--version") return true;
  for (const auto& offer : ladimo::cli::light_commands())
    if (word == offer.name) return true;
  return false;
}

/// Sets `sleeping_threads`, except for variables that the person has set.
void let_threads_sleep() {
  for (const std::string variable : sleeping_threads) {
    const auto equals = variable.find('=');
    ::setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), /*overwrite=*/0);
  }
}

/// OpenBLAS takes its kernels by the model number of the processor, and those of 2004 for a processor that is
/// newer than itself, at a fifth of the speed. The kernels that this processor can run are named instead,
/// unless the person named others.
void name_blas_kernels() {
#if defined(__x86_64__)
  const char* kernels = __builtin_cpu_supports("x86-64-v4")   ? "SKYLAKEX"
                        : __builtin_cpu_supports("x86-64-v3") ? "HASWELL"
                                                              : nullptr;
  if (kernels != nullptr) ::setenv("OPENBLAS_CORETYPE", kernels, /*overwrite=*/0);
#endif
}

/// Replaces this process with the engine. Returns only if the engine cannot be started.
int become_engine(char** argv) {
  let_threads_sleep();
  name_blas_kernels();
  std::error_code code;
  const auto engine = std::filesystem::read_symlink("/proc/self/exe", code).parent_path() / "ladimo-engine";
  ::execv(engine.c_str(), argv);
  fmt::print(stderr,
             "ladimo: The engine cannot be started: {}.\n  where: {}\n  hint:  Install the program again.\n",
             std::strerror(errno), engine.string());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && needs_no_model(argv[1])) return ladimo::cli::run(argc, argv, ladimo::cli::light_commands());
  return become_engine(argv);
}
