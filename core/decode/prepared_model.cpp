#include "decode/prepared_model.h"

#include <utility>

#include <ATen/Parallel.h>

namespace ladimo {

PreparedModel::PreparedModel(WeightSource source, Holding holding)
    : source_(std::move(source)),
      exact_(holding == Holding::as_stored ? std::nullopt : std::optional(source_.exact())),
      preparing_{arena_, at::get_num_threads(), holding},
      attention_(static_cast<std::size_t>(source_.config().layers)),
      dense_ffns_(attention_.size()) {}

const at::Tensor& PreparedModel::embedding() {
  if (!embedding_.defined()) embedding_ = source_.embedding();
  return embedding_;
}

std::shared_ptr<const PreparedHead> PreparedModel::head() {
  if (head_ == nullptr) head_ = std::make_shared<PreparedHead>(matrices().head(), preparing_);
  return head_;
}

std::shared_ptr<const PreparedAttention> PreparedModel::attention(std::int64_t layer) {
  auto& known = attention_[static_cast<std::size_t>(layer)];
  if (known == nullptr)
    known = std::make_shared<PreparedAttention>(matrices().layer_without_ffn(layer), preparing_);
  return known;
}

std::shared_ptr<const PreparedFfn> PreparedModel::dense_ffn(std::int64_t layer) {
  auto& known = dense_ffns_[static_cast<std::size_t>(layer)];
  if (known == nullptr) known = std::make_shared<PreparedFfn>(*matrices().dense_ffn(layer), preparing_);
  return known;
}

std::shared_ptr<const PreparedRows> PreparedModel::rows(std::int64_t layer, bool with_ffn) {
  if (exact_) return nullptr;
  auto& known = rows_[{layer, with_ffn}];
  if (known == nullptr) {
    const auto ffn = with_ffn ? source_.dense_ffn(layer) : nullptr;
    known = std::make_shared<PreparedRows>(source_.layer_without_ffn(layer), ffn.get(), arena_);
  }
  return known;
}

std::shared_ptr<const PreparedFfn> PreparedModel::ffn(const std::shared_ptr<const MoeWeights>& weights) {
  std::erase_if(ffns_, [](const auto& entry) { return entry.second.weights.expired(); });
  KnownFfn& known = ffns_[weights.get()];
  if (known.ffn == nullptr) known = {weights, std::make_shared<PreparedFfn>(*weights, preparing_)};
  return known.ffn;
}

}  // namespace ladimo
