// The file of one converted layer: layers/000.safetensors.
#include <charconv>
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

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what) {
  throw Refusal("This is not a converted layer: " + what + ".", "Delete the file and run convert again.",
                path);
}

void require_shape(const TensorView& view, const Shape& expected) {
  if (view.shape != expected)
    refuse(view.file,
           view.name + " has the shape " + shape_text(view.shape) + " instead of " + shape_text(expected));
}

std::int64_t read_shared_neurons(const TensorStore& store, const std::filesystem::path& path) {
  const auto found = store.metadata().find(shared_key);
  if (found == store.metadata().end()) refuse(path, "its metadata lack shared_neurons");
  const std::string& text = found->second;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    refuse(path, "shared_neurons is \"" + text + "\"");
  return value;
}

// Every shape follows from those of gate and router.
void require_fit(const TensorStore& store, std::int64_t shared_neurons, const std::filesystem::path& path) {
  for (const char* name : {"gate", "up", "down", "router", "router_bias", "compensation", "permutation"})
    if (!store.contains(name)) refuse(path, std::string(name) + " is missing");
  const Shape& gate = store.at("gate").shape;
  const Shape& router = store.at("router").shape;
  if (gate.size() != 2) refuse(path, "gate has the shape " + shape_text(gate));
  if (router.size() != 2 || router[0] < 1) refuse(path, "router has the shape " + shape_text(router));
  const std::int64_t f = gate[0], d = gate[1], routed = router[0];
  const std::vector<std::pair<std::string, Shape>> expected = {
      {"up", {f, d}},
      {"down", {f, d}},
      {"router", {routed, d}},
      {"router_bias", {routed}},
      {"permutation", {f}},
      {"gate_bias", {f}},
      {"up_bias", {f}},
      {"down_bias", {d}},
      {"compensation", {routed, d}},
  };
  for (const auto& [name, shape] : expected)
    if (store.contains(name)) require_shape(store.at(name), shape);
  if (store.at("permutation").dtype != DType::i64) refuse(path, "permutation is not I64");
  if (shared_neurons > f || (f - shared_neurons) % routed != 0)
    refuse(path, std::to_string(f - shared_neurons) + " routed neurons do not split into " +
                     std::to_string(routed) + " equal experts");
}

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
  MoeWeights weights;
  weights.shared_neurons = read_shared_neurons(store, path);
  require_fit(store, weights.shared_neurons, path);
  const auto load = [&](const char* name, at::ScalarType type) {
    return store.contains(name) ? to_tensor(store.at(name), device, type) : at::Tensor();
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
  weights.permutation = load("permutation", at::kLong);
  return weights;
}

}  // namespace ladimo
