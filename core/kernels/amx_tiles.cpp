#include "kernels/amx_tiles.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ladimo {

bool may_use_amx() {
  constexpr unsigned int bf16_bit = 1u << 22, tile_bit = 1u << 24;
  unsigned int a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & bf16_bit) == 0 || (d & tile_bit) == 0)
    return false;
  constexpr unsigned int conversion_bit = 1u << 5;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) == 0 || (a & conversion_bit) == 0) return false;
  // Linux lets a process use the matrix registers when it has asked: Documentation/arch/x86/xstate.rst.
  constexpr long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace ladimo

#else

namespace ladimo {
bool may_use_amx() { return false; }
}  // namespace ladimo

#endif
