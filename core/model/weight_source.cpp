#include "model/weight_source.h"

#include <memory>
#include <string>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include "base/error.h"
#include "model/moe_layer.h"

namespace ladimo {
namespace {

constexpr std::int64_t elements_per_thread = 1 << 18;  // at least; fewer are not worth a thread

at::ScalarType scalar_type(const TensorView& view) {
  switch (view.dtype) {
    case DType::f32:
      return at::kFloat;
    case DType::f16:
      return at::kHalf;
    case DType::bf16:
      return at::kBFloat16;
    case DType::i64:
      return at::kLong;
    case DType::i32:
      return at::kInt;
    case DType::u8:
      return at::kByte;
    case DType::other:
      break;
  }
  throw Refusal("Tensor " + view.name + " has the unknown dtype " + view.dtype_text + ".",
                "Convert the checkpoint to F32, F16 or BF16.", view.file);
}

std::shared_ptr<const DenseFfn> with_all_experts(const MoeWeights& weights) {
  auto ffn = std::make_shared<DenseFfn>();
  ffn->gate = weights.gate;
  ffn->up = weights.up;
  ffn->down = weights.down.t();
  ffn->gate_bias = weights.gate_bias;
  ffn->up_bias = weights.up_bias;
  ffn->down_bias = weights.down_bias;
  return ffn;
}

}  // namespace

at::Tensor to_tensor(const TensorView& view, at::Device device, at::ScalarType dtype) {
  const at::Tensor copy = at::empty(view.shape, at::TensorOptions(scalar_type(view)));
  const std::size_t size = copy.element_size();
  auto* to = static_cast<std::byte*>(copy.data_ptr());
  at::parallel_for(0, copy.numel(), elements_per_thread, [&](std::int64_t begin, std::int64_t end) {
    const auto first = static_cast<std::size_t>(begin), count = static_cast<std::size_t>(end - begin);
    read_elements(view, first, {to + first * size, count * size});
  });
  release_pages(view.bytes);
  return copy.to(device, dtype);
}

at::Tensor entering_stream(const at::Tensor& rows, const ModelConfig& config) {
  return config.embedding_multiplier == 1 ? rows : rows * config.embedding_multiplier;
}

at::ScalarType storage_dtype(const Checkpoint& checkpoint) {
  return checkpoint.converted_dtype() == DType::f32 ? at::kFloat : at::kBFloat16;
}

WeightSource::WeightSource(Checkpoint checkpoint, at::Device device, at::ScalarType dtype, Options options)
    : checkpoint_(std::move(checkpoint)),
      device_(device),
      dtype_(dtype),
      options_(std::move(options)),
      rotary_(checkpoint_.config(), device) {}

WeightSource WeightSource::exact() const {
  WeightSource source(checkpoint_, device_, at::kFloat, options_);
  source.options_.keep = false;
  source.rounded_ = false;
  return source;
}

TensorView WeightSource::find(Role role, std::int64_t layer) const {
  const bool elsewhere = options_.original && !checkpoint_.has(role, layer);
  TensorView view = (elsewhere ? *options_.original : checkpoint_).tensor(role, layer);
  if (!rounded_ && view.stored != nullptr) view.dtype = DType::f32;  // as its blocks are decoded
  return view;
}

at::Tensor WeightSource::load(Role role, std::int64_t layer) const {
  const TensorView view = find(role, layer);
  if (!options_.keep) return to_tensor(view, device_, dtype_);
  at::Tensor& kept = kept_[view.name];
  if (!kept.defined()) kept = to_tensor(view, device_, dtype_);
  return kept;
}

DecoderLayer WeightSource::layer(std::int64_t index) const {
  DecoderLayer layer = layer_without_ffn(index);
  layer.ffn = dense_ffn(index);
  return layer;
}

DecoderLayer WeightSource::layer_without_ffn(std::int64_t index) const {
  DecoderLayer layer;
  layer.attention_norm = load(Role::attention_norm, index);
  layer.q = load(Role::q, index);
  layer.k = load(Role::k, index);
  layer.v = load(Role::v, index);
  layer.o = load(Role::o, index);
  const auto load_if_any = [&](Role role) {
    return has_role(role, config()) ? load(role, index) : at::Tensor();
  };
  layer.q_bias = load_if_any(Role::q_bias);
  layer.k_bias = load_if_any(Role::k_bias);
  layer.v_bias = load_if_any(Role::v_bias);
  layer.o_bias = load_if_any(Role::o_bias);
  layer.q_norm = load_if_any(Role::q_norm);
  layer.k_norm = load_if_any(Role::k_norm);
  layer.ffn_norm = load(Role::ffn_norm, index);
  layer.heads = config().heads;
  layer.kv_heads = config().kv_heads;
  layer.head_dim = config().head_dim;
  layer.sliding_window = config().sliding_window_of(index);
  layer.rms_eps = config().rms_eps;
  layer.attention_scale = config().attention_scale();
  layer.residual_multiplier = config().residual_multiplier;
  return layer;
}

std::shared_ptr<const DenseFfn> WeightSource::dense_ffn(std::int64_t index) const {
  if (!options_.original && !checkpoint_.has(Role::gate, index))
    return with_all_experts(load_moe_weights(checkpoint_, index, device_, dtype_));
  auto ffn = std::make_shared<DenseFfn>();
  ffn->gate = load(Role::gate, index);
  ffn->up = load(Role::up, index);
  ffn->down = load(Role::down, index);
  if (config().mlp_bias) {
    ffn->gate_bias = load(Role::gate_bias, index);
    ffn->up_bias = load(Role::up_bias, index);
    ffn->down_bias = load(Role::down_bias, index);
  }
  return ffn;
}

at::Tensor WeightSource::embed(const at::Tensor& ids) const {
  const auto flat = ids.to(at::kCPU, at::kLong).contiguous();
  const TensorView table = find(Role::embedding, 0);
  const at::Tensor rows =
      at::empty({flat.numel(), config().hidden_size}, at::TensorOptions(scalar_type(table)));
  const auto* id = flat.data_ptr<std::int64_t>();
  const auto columns = static_cast<std::size_t>(config().hidden_size);
  const std::size_t row_bytes = columns * dtype_size(table.dtype);
  auto* to = static_cast<std::byte*>(rows.data_ptr());
  for (std::int64_t i = 0; i < flat.numel(); ++i, to += row_bytes) {
    if (id[i] < 0 || id[i] >= config().vocab_size)
      throw Refusal("The text contains the token " + std::to_string(id[i]) + ", but the model knows only " +
                        std::to_string(config().vocab_size) + " tokens.",
                    "Check that the tokenizer belongs to this model.", table.file);
    read_elements(table, static_cast<std::size_t>(id[i]) * columns, {to, row_bytes});
  }
  release_pages(table.bytes);
  auto shape = ids.sizes().vec();
  shape.push_back(config().hidden_size);
  return entering_stream(rows.to(device_, dtype_).view(shape), config());
}

Head WeightSource::head() const {
  return {load(Role::final_norm), load(config().tied_head ? Role::embedding : Role::head), config().rms_eps,
          config().logits_scaling};
}

}  // namespace ladimo
