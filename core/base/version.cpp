#include "base/version.h"

namespace ladimo {

const char* version() { return LADIMO_VERSION; }

}  // namespace ladimo
