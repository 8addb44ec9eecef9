// The MoE classes as export formats: folders for transformers, and GGUF files.
#pragma once

#include <memory>
#include <optional>

#include "transfer/format.h"
#include "transfer/standard_layer.h"

namespace ladimo {

/// A folder, or with `gguf` a GGUF file in this precision.
std::unique_ptr<const Format> moe_format(const MoeClass& target, std::optional<GgufPrecision> gguf);

/// The layers of a run under a policy as the class computes them, with null experts where ks differ.
/// Precondition: the format has no objection.
std::function<std::shared_ptr<const StandardMoe>(int layer)> layers_of_class(const MoeClass& target,
                                                                             const ExportSource& source,
                                                                             at::Device device);

}  // namespace ladimo
