#include "commands/inspect.h"

#include "model/moe_layer.h"
#include "run/model_check.h"

namespace ladimo {
namespace {

/// Describes a native model folder. Adds a problem for every converted layer whose tensors do not fit.
Inspection::Native inspect_native(const Checkpoint& checkpoint, std::vector<Problem>& problems) {
  const NativeSection& section = *checkpoint.native();
  Inspection::Native native{section.origin, section.fingerprint, section.routed_experts, {}, {}};
  for (int l = 0; l < static_cast<int>(section.layers.size()); ++l) {
    const NativeLayer& layer = section.layers[static_cast<std::size_t>(l)];
    if (layer.dense) native.dense_layers.push_back(l);
    if (!layer.converted) continue;
    native.converted_layers.push_back(l);
    try {
      load_moe_weights(checkpoint, l, at::kCPU, at::kFloat);
    } catch (const Refusal& refusal) {
      problems.push_back(refusal.problem());
    }
  }
  return native;
}

}  // namespace

Inspection inspect(const std::filesystem::path& path, const Context& context) {
  const CheckedModel model = check_model(path);
  Inspection inspection = describe(model);
  if (!model.found.opened) return inspection;
  const Checkpoint& checkpoint = *model.found.opened;
  const auto bad = find_bad_weights(checkpoint, context);
  inspection.problems.insert(inspection.problems.end(), bad.begin(), bad.end());
  if (checkpoint.native())
    inspection.native = inspect_native(checkpoint, inspection.problems);
  else
    inspection.weight_bytes = static_cast<int>(dtype_size(checkpoint.converted_dtype()));
  inspection.fingerprint = checkpoint.fingerprint();
  return inspection;
}

}  // namespace ladimo
