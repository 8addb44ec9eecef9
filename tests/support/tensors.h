// Tensors for tests: random ones that are the same on every run, distances, and models ready to use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <ATen/ATen.h>

#include "base/random.h"
#include "decode/decoder.h"
#include "model/moe_layer.h"
#include "stream/layer_rows.h"

namespace ladimo::testing {

/// A random fp32 tensor, uniform in [-scale, scale).
inline at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed, double scale = 1) {
  const at::Tensor tensor = at::empty(shape, at::kFloat);
  Random random(seed, "test tensor");
  auto* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>(scale * (2 * random.uniform() - 1));
  return tensor;
}

inline double max_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<double>();
}

/// The largest difference of two tensors in units of the largest value.
inline double relative_difference(const at::Tensor& a, const at::Tensor& expected) {
  return max_difference(a, expected) / expected.to(at::kFloat).abs().max().item<double>();
}

inline WeightSource open_weights(const std::filesystem::path& folder, at::ScalarType dtype = at::kFloat) {
  return WeightSource(Checkpoint::open(folder), at::kCPU, dtype);
}

/// The logits [B, vocab] that follow ids [B, W], read into the cache in chunks of `chunk` tokens.
inline at::Tensor read_in_chunks(const Decoder& decoder, const at::Tensor& ids, KvCache& cache,
                                 std::int64_t chunk) {
  const at::Tensor flat = ids.to(at::kInt).contiguous();
  const auto logits =
      decoder.read({flat.data_ptr<std::int32_t>(), static_cast<std::size_t>(flat.numel())}, cache, chunk);
  return at::tensor(at::ArrayRef<float>(logits.data(), logits.size())).view({ids.size(0), -1});
}

/// The FFN inputs of all rows of a layer, [T, d]; `outputs` gives the FFN outputs.
inline at::Tensor inputs(const LayerRows& rows) { return rows.x(0, rows.count()); }
inline at::Tensor outputs(const LayerRows& rows) { return rows.y(0, rows.count()); }

/// A dense FFN of `f` neurons with random weights.
inline std::shared_ptr<DenseFfn> random_ffn(std::int64_t d, std::int64_t f, std::uint64_t seed,
                                            bool biases = false) {
  auto ffn = std::make_shared<DenseFfn>();
  ffn->gate = random_tensor({f, d}, seed, 0.5);
  ffn->up = random_tensor({f, d}, seed + 1, 0.5);
  ffn->down = random_tensor({d, f}, seed + 2, 0.5);
  if (!biases) return ffn;
  ffn->gate_bias = random_tensor({f}, seed + 3);
  ffn->up_bias = random_tensor({f}, seed + 4);
  ffn->down_bias = random_tensor({d}, seed + 5);
  return ffn;
}

/// `ffn` in slices by a random permutation, with a random router and random compensation. Neurons that do not
/// fit into `routed` equal experts join the `shared` neurons.
inline MoeWeights random_moe(const DenseFfn& ffn, std::int64_t routed, std::int64_t shared,
                             std::uint64_t seed) {
  const std::int64_t f = ffn.gate.size(0), d = ffn.gate.size(1);
  std::vector<std::int64_t> order(static_cast<std::size_t>(f));
  for (std::int64_t i = 0; i < f; ++i) order[static_cast<std::size_t>(i)] = i;
  Random(seed, "test permutation").shuffle(order);
  const at::Tensor permutation = at::tensor(order);
  const auto permuted = [&](const at::Tensor& t) { return t.defined() ? t.index_select(0, permutation) : t; };
  MoeWeights moe;
  moe.gate = permuted(ffn.gate);
  moe.up = permuted(ffn.up);
  moe.down = permuted(ffn.down.t());
  moe.router = random_tensor({routed, d}, seed + 1);
  moe.router_bias = random_tensor({routed}, seed + 2);
  moe.compensation = random_tensor({routed, d}, seed + 3);
  moe.permutation = permutation;
  moe.gate_bias = permuted(ffn.gate_bias);
  moe.up_bias = permuted(ffn.up_bias);
  moe.down_bias = ffn.down_bias;
  moe.shared_neurons = shared + (f - shared) % routed;
  return moe;
}

/// Returns `moe` with random shifts. Its activity says that all, half and none of the experts run at the
/// thresholds -1, 0 and 1.
inline MoeWeights moving(MoeWeights moe) {
  moe.gate_shift = random_tensor(moe.gate.sizes(), 60, 0.05);
  moe.up_shift = random_tensor(moe.up.sizes(), 61, 0.05);
  moe.down_shift = random_tensor(moe.down.sizes(), 62, 0.05);
  moe.activity = at::tensor({-1.0F, 1.0F, 0.0F, 0.5F, 1.0F, 0.0F}).view({3, 2});
  return moe;
}

}  // namespace ladimo::testing
