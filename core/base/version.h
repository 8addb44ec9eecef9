#pragma once

namespace ladimo {

/// The program's version, from CMake's project().
const char* version();
/// The compiler that built it, with its version.
const char* compiler();

}  // namespace ladimo
