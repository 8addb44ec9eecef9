#pragma once

namespace ladimo {

/// The program's version, from CMake's project().
const char* version();

}  // namespace ladimo
