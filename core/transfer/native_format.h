// The native model folder (docs/formats.md): the original's tensors and the converted layers, for any policy.
#pragma once

#include <memory>

#include "transfer/format.h"

namespace ladimo {

std::unique_ptr<const Format> native_format();

}  // namespace ladimo
