#include "decode/decoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "base/error.h"

namespace ladimo {
namespace {

const FeedForward* ffn_of(const Decoder::Ffns& ffns, std::int64_t layer) {
  const auto l = static_cast<std::size_t>(layer);
  return l < ffns.size() ? ffns[l].get() : nullptr;
}

// Moves the counts of all layers to the CPU together: a GPU is waited for at every copy.
void bring_home(std::vector<at::Tensor>& experts) {
  std::vector<at::Tensor> counted;
  for (const at::Tensor& counts : experts)
    if (counts.defined()) counted.push_back(counts);
  if (counted.empty()) return;
  const at::Tensor all = at::stack(counted).to(at::kCPU);
  std::int64_t row = 0;
  for (at::Tensor& counts : experts)
    if (counts.defined()) counts = all[row++];
}

LayerPolicy policy_of(const ModelPolicy& policy, std::int64_t layer) {
  return policy.empty() ? LayerPolicy::dense() : policy[static_cast<std::size_t>(layer)];
}

std::vector<std::int32_t> ids_of(const at::Tensor& ids) {
  const at::Tensor flat = ids.to(at::kCPU, at::kInt).contiguous();
  const auto* values = flat.data_ptr<std::int32_t>();
  return {values, values + flat.numel()};
}

}  // namespace

bool Decoder::can_prepare(const WeightSource& source, const Ffns& ffns) {
  const bool held =
      source.device().is_cpu() && (source.dtype() == at::kFloat || source.dtype() == at::kBFloat16);
  return held && std::ranges::all_of(ffns, [](const auto& ffn) {
           return ffn == nullptr || dynamic_cast<const MoeLayer*>(ffn.get()) != nullptr;
         });
}

Decoder::Decoder(const WeightSource& source, const Ffns& ffns, const ModelPolicy& policy, std::int64_t layers)
    : config_(source.config()),
      device_(source.device()),
      dtype_(source.dtype()),
      element_bytes_(static_cast<double>(at::elementSize(dtype_))),
      rotary_(source.rotary()) {
  if (can_prepare(source, ffns)) {
    PreparedModel prepared(source);
    *this = Decoder(prepared, ffns, policy, layers);
    return;
  }
  config_.layers = layers;
  policy_ = policy;
  head_ = source.head();
  embedding_ = config_.tied_head ? head_.weight : source.embedding();
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    layers_.push_back(source.layer_without_ffn(l));
    const LayerPolicy cuts = policy_of(policy, l);
    if (ffn_of(ffns, l) != nullptr)
      layers_.back().ffn = ffns[static_cast<std::size_t>(l)];
    else if (cuts.cuts_ffn())
      layers_.back().ffn = std::make_shared<CutFfn>(source.dense_ffn(l), cuts);
    else
      layers_.back().ffn = source.dense_ffn(l);
  }
}

Decoder::Decoder(PreparedModel& prepared, const Ffns& ffns, const ModelPolicy& policy, std::int64_t layers)
    : config_(prepared.source().config()),
      device_(prepared.source().device()),
      dtype_(prepared.source().dtype()),
      element_bytes_(prepared.head()->weight.element_bytes()),
      rotary_(prepared.source().rotary()) {
  config_.layers = layers;
  DecodingEngine::Parts parts{prepared.embedding(), {}, prepared.head()};
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    const auto* sparse = dynamic_cast<const MoeLayer*>(ffn_of(ffns, l));
    parts.layers.push_back(
        {prepared.attention(l),
         sparse != nullptr ? prepared.ffn(sparse->shared_weights()) : prepared.dense_ffn(l),
         sparse != nullptr ? sparse->policy() : LayerPolicy::dense(),
         {}});
    auto& layer = parts.layers.back();
    const LayerPolicy of_layer = policy_of(policy, l);
    layer.limits = InputLimits(of_layer, config_, layer.ffn->neuron_norms);
    if (of_layer.cuts_inputs()) layer.rows = prepared.rows(l, sparse == nullptr);
    prepared_.push_back(parts.layers.back().ffn);
  }
  engine_ = std::make_unique<DecodingEngine>(config_, rotary_, std::move(parts));
}

KvCache Decoder::make_cache(std::int64_t batch, std::int64_t capacity) const {
  return KvCache(config_, batch, capacity, device_, dtype_);
}

double Decoder::bytes_per_token(const ModelPolicy& policy) const {
  double bytes = static_cast<double>(config_.activated_outside_ffns()) * element_bytes_;
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    const LayerPolicy layer = policy_of(policy, l);
    bytes -= ((1 - layer.cut(Product::qkv).share) * static_cast<double>(config_.qkv_parameters()) +
              (1 - layer.cut(Product::o).share) * static_cast<double>(config_.o_parameters())) *
             element_bytes_;
    bytes += engine_ ? prepared_[static_cast<std::size_t>(l)]->bytes(layer)
                     : layers_[static_cast<std::size_t>(l)].ffn->activated_parameters(layer.mean_experts) *
                           element_bytes_;
  }
  return bytes;
}

std::span<const float> Decoder::read(std::span<const std::int32_t> ids, KvCache& cache,
                                     std::int64_t chunk) const {
  const std::int64_t batch = cache.batch(), width = std::ssize(ids) / batch;
  if (width == 0) throw Error("There is no token to continue.");
  cache.expect(cache.length() + width);
  chunk = std::max<std::int64_t>(chunk / batch, 1);
  std::vector<std::int32_t> columns;
  for (std::int64_t i = 0; i < width; i += chunk) {
    const std::int64_t n = std::min(chunk, width - i);
    std::span<const std::int32_t> part = ids;
    if (n < width) {
      columns.clear();
      for (std::int64_t b = 0; b < batch; ++b) {
        const auto from = ids.begin() + b * width + i;
        columns.insert(columns.end(), from, from + n);
      }
      part = columns;
    }
    if (engine_)
      engine_->run(part, batch, cache, /*last_only=*/true);
    else
      last_ = forward_by_libtorch(
          at::tensor(at::ArrayRef<std::int32_t>(part.data(), part.size())).view({batch, n}), &cache, true);
  }
  if (engine_) return engine_->logits();
  last_.logits = last_.logits.to(at::kCPU, at::kFloat).contiguous();
  bring_home(last_.experts);
  return {last_.logits.data_ptr<float>(), static_cast<std::size_t>(last_.logits.numel())};
}

int Decoder::experts(std::size_t layer, std::int64_t sequence) const {
  if (!engine_) {
    const at::Tensor& counts = last_.experts[layer];
    if (!counts.defined()) return -1;
    const std::int64_t width = counts.size(0) / last_.logits.size(0);
    return counts[(sequence + 1) * width - 1].item<int>();
  }
  const auto counts = engine_->experts(layer);
  if (counts.empty()) return -1;
  const auto width = counts.size() / static_cast<std::size_t>(engine_->batch());
  return counts[static_cast<std::size_t>(sequence + 1) * width - 1];
}

Decoder::Output Decoder::forward(const at::Tensor& ids, KvCache* cache, bool last_only) const {
  if (!engine_) return forward_by_libtorch(ids, cache, last_only);
  const std::int64_t batch = ids.size(0), width = ids.size(1);
  std::optional<KvCache> own;
  if (cache == nullptr) cache = &own.emplace(make_cache(batch, width));
  engine_->run(ids_of(ids), batch, *cache, last_only);
  return output_of_engine(batch, last_only ? 1 : width);
}

Decoder::Output Decoder::output_of_engine(std::int64_t batch, std::int64_t wanted) const {
  Output output;
  const auto logits = engine_->logits();
  output.logits = at::empty({batch, wanted, config_.vocab_size}, at::kFloat);
  std::ranges::copy(logits, output.logits.data_ptr<float>());
  for (std::size_t l = 0; l < prepared_.size(); ++l) {
    const auto counts = engine_->experts(l);
    output.experts.push_back(
        counts.empty() ? at::Tensor()
                       : at::tensor(at::ArrayRef<std::int32_t>(counts.data(), counts.size())).to(at::kFloat));
  }
  return output;
}

Decoder::Output Decoder::forward_by_libtorch(const at::Tensor& ids, KvCache* cache, bool last_only) const {
  const at::NoGradGuard no_grad;
  const std::int64_t width = ids.size(1);
  Output output;
  at::Tensor h =
      entering_stream(at::embedding(embedding_, ids.to(device_, at::kLong)), config_);  // [B, W, d]
  const bool begins = cache == nullptr || cache->length() == 0;
  at::Tensor first;
  if (begins && !policy_.empty()) {
    first = at::zeros({ids.size(0), width}, at::TensorOptions(at::kBool).device(device_));
    first.select(1, 0).fill_(true);
    first = first.flatten();
  }
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const DecoderLayer& layer = layers_[l];
    const LayerPolicy policy = policy_of(policy_, static_cast<std::int64_t>(l));
    h = layer.attend(h, rotary_, cache, static_cast<std::int64_t>(l),
                     {policy.cut(Product::qkv).threshold, policy.cut(Product::o).threshold, first});
    DecoderLayer::Added added = layer.add_ffn(h, *layer.ffn, first);
    h = std::move(added.h);
    output.experts.push_back(std::move(added.ffn.experts));
  }
  if (last_only) h = h.narrow(1, width - 1, 1);
  output.logits = head_.logits(h);
  return output;
}

}  // namespace ladimo
