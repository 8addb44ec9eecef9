// The file of one converted layer: layers/000.safetensors.
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "model/moe_layer.h"
#include "model/weight_source.h"

namespace ladimo {
namespace {

using Shape = std::vector<std::int64_t>;
constexpr const char* shared_key = "shared_neurons";

DType file_dtype(at::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return DType::f32;
    case at::kHalf:
      return DType::f16;
    case at::kBFloat16:
      return DType::bf16;
    case at::kLong:
      return DType::i64;
    default:
      throw Error("A converted layer is stored in fp32, fp16 or bf16.");
  }
}

// The tensors in file order; undefined biases are left out.
std::vector<std::pair<std::string, at::Tensor>> named_tensors(const MoeWeights& weights) {
  std::vector<std::pair<std::string, at::Tensor>> tensors = {
      {"gate", weights.gate},
      {"up", weights.up},
      {"down", weights.down},
      {"compensation", weights.compensation},
      {"gate_bias", weights.gate_bias},
      {"up_bias", weights.up_bias},
      {"down_bias", weights.down_bias},
      {"router", weights.router},
      {"router_bias", weights.router_bias},
      {"router_hidden", weights.router_hidden},
      {"router_hidden_bias", weights.router_hidden_bias},
      {"gate_shift", weights.gate_shift},
      {"up_shift", weights.up_shift},
      {"down_shift", weights.down_shift},
      {"activity", weights.activity},
      {"permutation", weights.permutation},
  };
  std::erase_if(tensors, [](const auto& entry) { return !entry.second.defined(); });
  return tensors;
}

std::string shape_text(const Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text.empty() ? "[]" : text + "]";
}

// The tensors of one converted layer, in a file of its own or behind a prefix among others.
class LayerReader {
 public:
  LayerReader(const TensorStore& store, std::string prefix,
              const std::map<std::string, std::string>& metadata, std::filesystem::path where)
      : store_(store), prefix_(std::move(prefix)), metadata_(metadata), where_(std::move(where)) {}

  MoeWeights read(at::Device device, at::ScalarType dtype) const {
    MoeWeights weights;
    weights.shared_neurons = read_shared_neurons();
    require_fit(weights.shared_neurons);
    const auto load = [&](const char* name, at::ScalarType type) {
      return has(name) ? to_tensor(at(name), device, type) : at::Tensor();
    };
    weights.gate = load("gate", dtype);
    weights.up = load("up", dtype);
    weights.down = load("down", dtype);
    weights.compensation = load("compensation", dtype);
    weights.gate_bias = load("gate_bias", dtype);
    weights.up_bias = load("up_bias", dtype);
    weights.down_bias = load("down_bias", dtype);
    weights.router = load("router", at::kFloat);
    weights.router_bias = load("router_bias", at::kFloat);
    weights.router_hidden = load("router_hidden", at::kFloat);
    weights.router_hidden_bias = load("router_hidden_bias", at::kFloat);
    weights.gate_shift = load("gate_shift", dtype);
    weights.up_shift = load("up_shift", dtype);
    weights.down_shift = load("down_shift", dtype);
    weights.activity = load("activity", at::kFloat);
    if (weights.moves()) require_rising(weights.activity);
    weights.permutation = load("permutation", at::kLong);
    return weights;
  }

 private:
  bool has(const char* name) const { return store_.contains(prefix_ + name); }
  const TensorView& at(const char* name) const { return store_.at(prefix_ + name); }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Refusal("This is not a converted layer: " + prefix_ + what + ".",
                  prefix_.empty() ? "Delete the file, then {continue_run}." : "To write it anew, {export_again}.",
                  where_);
  }

  std::int64_t read_shared_neurons() const {
    const auto found = metadata_.find(shared_key);
    if (found == metadata_.end()) refuse(std::string(shared_key) + " is missing in its metadata");
    const std::string& text = found->second;
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0)
      refuse(std::string(shared_key) + " is \"" + text + "\"");
    return value;
  }

  // Thresholds that rise, shares between 0 and 1.
  void require_rising(const at::Tensor& activity) const {
    const auto points = activity.to(at::kCPU).contiguous();
    const auto* point = points.data_ptr<float>();
    for (std::int64_t i = 0; i < points.size(0); ++i)
      if (!std::isfinite(point[2 * i]) || (i > 0 && point[2 * i] < point[2 * i - 2]) ||
          !(point[2 * i + 1] >= 0 && point[2 * i + 1] <= 1))
        refuse("activity holds no shares at rising thresholds");
  }

  // Every shape follows from those of gate and router.
  void require_fit(std::int64_t shared_neurons) const {
    for (const char* name : {"gate", "up", "down", "router", "router_bias", "permutation"})
      if (!has(name)) refuse(std::string(name) + " is missing");
    if (has("router_hidden") != has("router_hidden_bias"))
      refuse("router_hidden and router_hidden_bias belong together");
    for (const char* name : {"up_shift", "down_shift", "activity"})
      if (has(name) != has("gate_shift")) refuse(std::string("gate_shift and ") + name + " belong together");
    const Shape& gate = at("gate").shape;
    const Shape& router = at("router").shape;
    if (gate.size() != 2) refuse("gate has the shape " + shape_text(gate));
    if (router.size() != 2 || router[0] < 1) refuse("router has the shape " + shape_text(router));
    const std::int64_t f = gate[0], d = gate[1], routed = router[0];
    const std::vector<std::pair<const char*, Shape>> expected = {
        {"up", {f, d}},
        {"down", {f, d}},
        {"router", {routed, has("router_hidden") ? router[1] : d}},
        {"router_hidden", {router[1], d}},
        {"router_hidden_bias", {router[1]}},
        {"router_bias", {routed}},
        {"permutation", {f}},
        {"gate_bias", {f}},
        {"up_bias", {f}},
        {"down_bias", {d}},
        {"compensation", {routed, d}},
        {"gate_shift", {f, d}},
        {"up_shift", {f, d}},
        {"down_shift", {f, d}},
    };
    for (const auto& [name, shape] : expected)
      if (has(name) && at(name).shape != shape)
        refuse(std::string(name) + " has the shape " + shape_text(at(name).shape) + " instead of " +
               shape_text(shape));
    if (has("activity") &&
        (at("activity").shape.size() != 2 || at("activity").shape[0] < 1 || at("activity").shape[1] != 2))
      refuse("activity has the shape " + shape_text(at("activity").shape));
    if (at("permutation").dtype != DType::i64) refuse("permutation is not I64");
    if (shared_neurons > f || (f - shared_neurons) % routed != 0)
      refuse(std::to_string(f - shared_neurons) + " routed neurons do not split into " +
             std::to_string(routed) + " equal experts");
  }

  const TensorStore& store_;
  std::string prefix_;
  const std::map<std::string, std::string>& metadata_;
  std::filesystem::path where_;
};

}  // namespace

void save_moe_weights(const std::filesystem::path& path, const MoeWeights& weights, at::ScalarType dtype) {
  const auto tensors = named_tensors(weights.to(at::kCPU, dtype));
  std::vector<TensorSpec> specs;
  for (const auto& [name, tensor] : tensors)
    specs.push_back({name, file_dtype(tensor.scalar_type()), tensor.sizes().vec()});
  SafetensorsWriter writer(path, specs, {{shared_key, std::to_string(weights.shared_neurons)}});
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor rows = tensor.contiguous();
    writer.write(name, {static_cast<const std::byte*>(rows.data_ptr()), rows.nbytes()});
  }
  writer.finish();
}

MoeWeights load_moe_weights(const std::filesystem::path& path, at::Device device, at::ScalarType dtype) {
  const TensorStore store = TensorStore::open(path);
  return LayerReader(store, "", store.metadata(), path).read(device, dtype);
}

MoeWeights load_moe_weights(const Checkpoint& native, std::int64_t layer, at::Device device,
                            at::ScalarType dtype) {
  const auto& metadata = native.native()->layers[static_cast<std::size_t>(layer)].metadata;
  auto weights =
      LayerReader(native.store(), native_prefix(layer), metadata, native.folder()).read(device, dtype);
  const ModelConfig& config = native.config();
  if (weights.neurons() != config.intermediate_size || weights.hidden_size() != config.hidden_size ||
      weights.routed() != native.native()->routed_experts)
    throw Refusal("The converted weights of layer " + std::to_string(layer) +
                      " have other sizes than config.json says.",
                  "To write it anew, {export_again}.", native.folder());
  return weights;
}

}  // namespace ladimo
