// The file of one converted layer: layers/000.safetensors.
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "checkpoint/safetensors.h"
#include "model/moe_fields.h"
#include "model/weight_source.h"

namespace ladimo {
namespace {

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

std::string shape_text(const MoeField::Shape& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text.empty() ? "[]" : text + "]";
}

// Reads the tensors of one converted layer from its own file, or from a file with others under a prefix.
class LayerReader {
 public:
  LayerReader(const TensorStore& store, std::string prefix,
              const std::map<std::string, std::string>& metadata, std::filesystem::path where)
      : store_(store), prefix_(std::move(prefix)), metadata_(metadata), where_(std::move(where)) {}

  MoeWeights read(at::Device device, at::ScalarType dtype) const {
    MoeWeights weights;
    weights.shared_neurons = read_shared_neurons();
    require_fit(weights.shared_neurons);
    for (const MoeField& field : moe_fields)
      if (has(field.name))
        weights.*field.tensor = to_tensor(at(field.name), field.device(device), field.dtype(dtype));
    if (weights.moves()) require_rising(weights.activity);
    return weights;
  }

 private:
  bool has(const char* name) const { return store_.contains(prefix_ + name); }
  const TensorView& at(const char* name) const { return store_.at(prefix_ + name); }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Refusal(
        "This is not a converted layer: " + prefix_ + what + ".",
        prefix_.empty() ? "Delete the file, then {continue_run}." : "To write it again, {export_again}.",
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

  // Refuses activity whose thresholds do not rise or whose shares are not between 0 and 1.
  void require_rising(const at::Tensor& activity) const {
    const auto* point = activity.data_ptr<float>();
    for (std::int64_t i = 0; i < activity.size(0); ++i)
      if (!std::isfinite(point[2 * i]) || (i > 0 && point[2 * i] < point[2 * i - 2]) ||
          !(point[2 * i + 1] >= 0 && point[2 * i + 1] <= 1))
        refuse("activity contains no shares at rising thresholds");
  }

  // A matrix must have at least one row, or there would be nothing to route to or to look up.
  const MoeField::Shape& matrix(const char* name) const {
    const MoeField::Shape& shape = at(name).shape;
    if (shape.size() != 2 || shape[0] < 1) refuse(std::string(name) + " has the shape " + shape_text(shape));
    return shape;
  }

  MoeSizes read_sizes() const {
    const MoeField::Shape &gate = matrix("gate"), &router = matrix("router");
    return {gate[0], gate[1], router[0], has("router_hidden") ? router[1] : gate[1],
            has("activity") ? matrix("activity")[0] : 0};
  }

  void require_fit(std::int64_t shared_neurons) const {
    for (const MoeField& field : moe_fields) {
      if (field.required && !has(field.name)) refuse(std::string(field.name) + " is missing");
      if (field.with != nullptr && has(field.name) != has(field.with))
        refuse(std::string(field.with) + " and " + field.name + " belong together");
    }
    const MoeSizes sizes = read_sizes();
    for (const MoeField& field : moe_fields) {
      if (!has(field.name)) continue;
      const TensorView& tensor = at(field.name);
      const MoeField::Shape expected = field.shape(sizes);
      if (tensor.shape != expected)
        refuse(std::string(field.name) + " has the shape " + shape_text(tensor.shape) + " instead of " +
               shape_text(expected));
      if (field.type == MoeField::Type::int64 && tensor.dtype != DType::i64)
        refuse(std::string(field.name) + " is not I64");
    }
    const std::int64_t routed_neurons = sizes.neurons - shared_neurons;
    if (routed_neurons < 0 || routed_neurons % sizes.routed != 0)
      refuse(std::to_string(routed_neurons) + " routed neurons do not split into " +
             std::to_string(sizes.routed) + " equal experts");
  }

  const TensorStore& store_;
  std::string prefix_;
  const std::map<std::string, std::string>& metadata_;
  std::filesystem::path where_;
};

}  // namespace

void save_moe_weights(const std::filesystem::path& path, const MoeWeights& weights, at::ScalarType dtype) {
  const MoeWeights stored = weights.to(at::kCPU, dtype);
  std::vector<TensorSpec> specs;
  for (const MoeField& field : moe_fields)
    if (const at::Tensor& tensor = stored.*field.tensor; tensor.defined())
      specs.push_back({field.name, file_dtype(tensor.scalar_type()), tensor.sizes().vec()});
  SafetensorsWriter writer(path, specs, {{shared_key, std::to_string(weights.shared_neurons)}});
  for (const MoeField& field : moe_fields)
    if (const at::Tensor& tensor = stored.*field.tensor; tensor.defined()) {
      const at::Tensor rows = tensor.contiguous();
      writer.write(field.name, {static_cast<const std::byte*>(rows.data_ptr()), rows.nbytes()});
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
      LayerReader(native.store(), native_prefix(layer), metadata, native.path()).read(device, dtype);
  const ModelConfig& config = native.config();
  if (weights.neurons() != config.intermediate_size || weights.hidden_size() != config.hidden_size ||
      weights.routed() != native.native()->routed_experts)
    throw Refusal(
        "The converted weights of layer " + std::to_string(layer) + " do not have the sizes in config.json.",
        "To write it again, {export_again}.", native.path());
  return weights;
}

}  // namespace ladimo
