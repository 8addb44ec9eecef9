#include "base/version.h"

namespace ladimo {

const char* version() { return LADIMO_VERSION; }

const char* compiler() {
#if defined(__clang__)
  return __VERSION__;  // begins with its name
#else
  return "GCC " __VERSION__;
#endif
}

}  // namespace ladimo
