#include "checkpoint/fused_tensors.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/families.h"
#include "checkpoint/tensor_names.h"

namespace ladimo {
namespace {

struct Fused {
  const char* pattern;  // {} is the layer
  std::vector<Role> parts;
};

const std::vector<Fused>& fused_tensors() {
  static const std::vector<Fused> table = {
      {"model.layers.{}.self_attn.qkv_proj.weight", {Role::q, Role::k, Role::v}},
      {"model.layers.{}.mlp.gate_up_proj.weight", {Role::gate, Role::up}}};
  return table;
}

// Replaces one fused tensor by its parts.
void split(std::map<std::string, TensorView>& tensors, const Fused& fused, std::int64_t layer,
           const ModelConfig& config, std::vector<Problem>& problems) {
  const auto found = tensors.find(fmt::format(fmt::runtime(fused.pattern), layer));
  const auto stored_apart = [&](Role part) { return tensors.contains(tensor_name(part, layer)); };
  if (found == tensors.end() || std::ranges::any_of(fused.parts, stored_apart)) return;
  const TensorView whole = found->second;
  std::vector<std::int64_t> wanted = {0, config.hidden_size};
  for (const Role part : fused.parts) wanted[0] += tensor_shape(part, config)[0];
  if (whole.shape != wanted) {
    problems.push_back({fmt::format("Tensor {} has shape [{}], but config.json asks for [{}].", whole.name,
                                    fmt::join(whole.shape, ", "), fmt::join(wanted, ", ")),
                        "Use the config.json that belongs to the weights.", whole.file});
    return;
  }
  tensors.erase(found);
  std::int64_t first = 0;
  for (const Role part : fused.parts) {
    const std::int64_t rows = tensor_shape(part, config)[0];
    TensorView view = rows_of(whole, tensor_name(part, layer), first, rows);
    tensors.emplace(view.name, std::move(view));
    first += rows;
  }
}

}  // namespace

TensorView rows_of(const TensorView& view, std::string name, std::int64_t first, std::int64_t count) {
  const std::size_t row_bytes = view.bytes.size() / static_cast<std::size_t>(view.shape[0]);
  TensorView rows = view;
  rows.name = std::move(name);
  rows.shape[0] = count;
  rows.bytes = view.bytes.subspan(static_cast<std::size_t>(first) * row_bytes,
                                  static_cast<std::size_t>(count) * row_bytes);
  return rows;
}

TensorStore split_fused(const TensorStore& store, const ModelConfig& config, std::vector<Problem>& problems) {
  const Family* family = family_of(config.architecture);
  if (family == nullptr || !family->fused) return store;
  auto tensors = store.tensors();
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    for (const Fused& fused : fused_tensors()) split(tensors, fused, layer, config, problems);
  return store.with(std::move(tensors));
}

}  // namespace ladimo
