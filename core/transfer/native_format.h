// Our own format: the dense original's tensors as they are, and converted layers as the run has them.
#pragma once

#include "transfer/format.h"

namespace ladimo {

/// A folder in the Hugging Face layout with a section `ladimo` in its config.json (docs/formats.md). It can
/// express every policy.
const Format& native_format();

}  // namespace ladimo
