#include "decode/decoding_engine.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include <ATen/Parallel.h>

#include "base/error.h"
#include "decode/desk.h"
#include "kernels/arena.h"
#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t line_floats = 16, lanes = 16;
// Rows begin at a cache line, and not all at the same place of a page, where they would drive each other out.
std::int64_t row_stride(std::int64_t count) {
  return (count + line_floats - 1) / line_floats * line_floats + line_floats;
}

}  // namespace

DecodingEngine::DecodingEngine(const ModelConfig& config, const Rotary& rotary, Parts parts)
    : config_(config), rotary_(rotary), parts_(std::move(parts)) {
  std::int64_t f = 0, r = 0, routed = 0;
  for (const Layer& layer : parts_.layers) {
    f = std::max(f, layer.ffn->neurons());
    r = std::max(r, layer.ffn->router_hidden.outputs());
    routed = std::max(routed, layer.ffn->slices());
  }
  x_stride_ = row_stride(config_.hidden_size + 1);
  qkv_stride_ = row_stride((config_.heads + 2 * config_.kv_heads) * config_.head_dim);
  attended_stride_ = row_stride(config_.heads * config_.head_dim + 1);
  h_stride_ = row_stride(f);
  hidden_stride_ = row_stride(r + 1);
  routing_stride_ = row_stride(routed);
  for (const Layer& layer : parts_.layers)
    for (const Product product : all_products)
      if (const WideMatrix* const matrix = layer.rows ? layer.rows->of(product) : nullptr; matrix != nullptr)
        partial_stride_ = std::max(partial_stride_, row_stride(matrix->room()));
  const auto in_tiles = [](const Layer& layer) {
    return layer.attention->qkv.in_tiles() || layer.attention->o.in_tiles() ||
           layer.ffn->gate_up.in_tiles() || layer.ffn->down.in_tiles();
  };
  if (parts_.head->weight.in_tiles() || std::ranges::any_of(parts_.layers, in_tiles))
    split_steps_ = tiles_of(std::max({config_.hidden_size + 1, config_.heads * config_.head_dim + 1, f}));
  read_ = std::vector<std::atomic<std::int64_t>>(parts_.layers.size() * all_products.size());
  ones_.assign(static_cast<std::size_t>(routed) + 1, 1.0f);
}

DecodingEngine::~DecodingEngine() = default;

std::span<const std::int32_t> DecodingEngine::experts(std::size_t layer) const {
  if (parts_.layers[layer].policy.kind == LayerPolicy::Kind::dense) return {};
  const auto rows = static_cast<std::size_t>(rows_);
  return {experts_.data() + layer * rows, rows};
}

double DecodingEngine::read_share(std::size_t layer, Product product) const {
  const auto inputs = parts_.layers[layer].limits[product].size();
  const auto read = read_[layer * all_products.size() + static_cast<std::size_t>(product)].load();
  return inputs == 0 ? 1
                     : static_cast<double>(read) / static_cast<double>(inputs) / static_cast<double>(rows_);
}

void DecodingEngine::make_room(std::int64_t rows, std::int64_t wanted, std::int64_t positions) {
  const auto threads = static_cast<std::size_t>(at::get_num_threads());
  const std::size_t had = desks_.size();
  while (desks_.size() < threads) desks_.push_back(std::make_unique<Desk>());
  const auto grow = [](auto& buffer, std::int64_t count) {
    if (buffer.size() < static_cast<std::size_t>(count)) buffer.resize(static_cast<std::size_t>(count));
  };
  grow(partial_, static_cast<std::int64_t>(threads) * partial_stride_);
  grow(logits_, wanted * config_.vocab_size);
  const std::int64_t group = config_.heads / config_.kv_heads;
  for (const auto& desk : desks_)
    grow(desk->scores,
         std::max(positions, rows == 1 ? 0 : Desk::most_scores + group * (positions + 2 * widest_panel)));
  if (rows <= room_ && had >= threads) return;
  room_ = std::max(rows, room_);
  grow(stream_, room_ * config_.hidden_size);
  grow(x_, room_ * x_stride_);
  grow(qkv_, room_ * qkv_stride_);
  grow(attended_, room_ * attended_stride_);
  grow(h_, room_ * h_stride_);
  grow(hidden_, room_ * hidden_stride_);
  grow(routing_, room_ * routing_stride_);
  for (std::int64_t t = 0; t < room_; ++t)  // for the bias of the output projection
    attended_[static_cast<std::size_t>(t * attended_stride_ + config_.heads * config_.head_dim)] = 1;
  grow(split_, tiles_of(room_) * split_steps_);
  grow(experts_, static_cast<std::int64_t>(parts_.layers.size()) * room_);
  std::int64_t routed = 0, blocks = 0;
  for (const Layer& layer : parts_.layers) {
    routed = std::max(routed, layer.ffn->slices());
    blocks = std::max(blocks, static_cast<std::int64_t>(layer.ffn->blocks.size()));
  }
  for (const auto& desk : desks_) {
    grow(desk->x, Desk::few_rows * x_stride_);
    grow(desk->sums, room_ * widest_panel);
    grow(desk->keys, (config_.head_dim + 1) * widest_panel);
    grow(desk->values, config_.head_dim * (widest_panel + 1) + line_floats);
    grow(desk->from, room_);
    grow(desk->to, room_);
    grow(desk->normed, room_);
    grow(desk->inputs, Desk::few_rows * std::max({x_stride_, attended_stride_, h_stride_}));
    grow(desk->chosen, Desk::few_rows);
    grow(desk->seen_from, group * Desk::most_queries);
    grow(desk->seen_to, group * Desk::most_queries);
    grow(desk->attending, group * Desk::most_queries);
    grow(desk->attended, group * Desk::most_queries);
    desk->tokens.reserve(routed, room_);
    grow(desk->all, room_);
    grow(desk->hidden, room_);
    for (std::size_t t = 0; t < desk->hidden.size(); ++t)
      desk->hidden[t] = h_.data() + static_cast<std::int64_t>(t) * h_stride_;
    for (std::size_t t = 0; t < desk->all.size(); ++t) desk->all[t] = static_cast<std::int32_t>(t);
    desk->blocks.reserve(static_cast<std::size_t>(blocks));
    desk->runs.reserve(static_cast<std::size_t>(2 * routed + 2));
  }
}

void DecodingEngine::make_attention_room() {
  attends_in_tiles_ = width_ > 1 && rows_ >= PanelMatrix::many && kernels().tiles.attend != nullptr &&
                      config_.head_dim % lanes == 0 && !parts_.layers.empty() &&
                      cache_->keys(0).scalar_type() == at::kBFloat16;
  if (!attends_in_tiles_) return;
  // A power of two, so that a growing context seldom needs new memory.
  const auto seen = std::bit_ceil(static_cast<std::uint64_t>(start_ + width_));
  const std::size_t bytes = kernels().tiles.attend_room(static_cast<std::int64_t>(seen), config_.head_dim);
  for (const auto& desk : desks_) {
    if (desk->room_bytes >= bytes) continue;
    desk->room = Arena().allocate(bytes);
    desk->room_bytes = bytes;
  }
}

void DecodingEngine::embed(std::span<const std::int32_t> ids) {
  const std::int64_t d = config_.hidden_size;
  const bool fp32 = parts_.embedding.scalar_type() == at::kFloat;
  const void* const table = parts_.embedding.data_ptr();
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const std::int64_t at = ids[t] * d;
    float* const row = stream_.data() + static_cast<std::int64_t>(t) * d;
    if (fp32)
      kernels().fp32.widen(static_cast<const float*>(table) + at, d, row);
    else
      kernels().bf16.widen(static_cast<const c10::BFloat16*>(table) + at, d, row);
    if (config_.embedding_multiplier != 1)
      for (std::int64_t i = 0; i < d; ++i) row[i] *= static_cast<float>(config_.embedding_multiplier);
  }
}

void DecodingEngine::run(std::span<const std::int32_t> ids, std::int64_t batch, KvCache& cache,
                         bool last_only) {
  rows_ = static_cast<std::int64_t>(ids.size());
  width_ = rows_ / batch;
  start_ = cache.length();
  last_only_ = last_only;
  wanted_ = last_only ? batch : rows_;
  cache_ = &cache;
  const std::int64_t length = start_ + width_;
  turns_ = rotary_.upto(cache.expected(length));
  cache.require_room(width_);
  make_room(rows_, wanted_, cache.capacity());
  make_attention_room();
  logits_size_ = static_cast<std::size_t>(wanted_ * config_.vocab_size);
  for (auto& read : read_) read = 0;
  embed(ids);
  team_.run(at::get_num_threads(), [this](const Team::Member& me) { walk(me); });
  cache.advance(width_);
}

void DecodingEngine::walk(const Team::Member& me) {
  Desk& desk = *desks_[static_cast<std::size_t>(me.rank())];
  for (std::size_t l = 0; l < parts_.layers.size(); ++l) {
    const Layer& layer = parts_.layers[l];
    const PreparedAttention& attention = *layer.attention;
    if (me.rank() == 0) claimed_ = claimed_blocks_ = 0;
    project_qkv(me, desk, l, normed(me, desk, attention.attention_norm, attention.rms_eps));
    me.meet();
    if (width_ == 1)
      attend_one(me, desk, l);
    else
      attend_many(desk, l);
    me.meet();
    project_o(me, desk, l);
    me.meet();
    float* const* const x = normed(me, desk, attention.ffn_norm, attention.rms_eps);
    if (layer.policy.kind != LayerPolicy::Kind::dense) route(me, desk, layer, x);
    run_neurons(me, desk, l, x);
    me.meet();
    project_down(me, desk, l);
    me.meet();
  }
  project_head(me, desk);
}

// Pointers to the norms of the stream's rows, each followed by a 1.
float* const* DecodingEngine::normed(const Team::Member& me, Desk& desk, const std::vector<float>& weight,
                                     float eps) {
  const std::int64_t d = config_.hidden_size;
  const bool few = rows_ <= Desk::few_rows;
  float* const x = few ? desk.x.data() : x_.data();
  const Range mine = few ? Range{0, rows_} : me.part(rows_);
  for (std::int64_t t = mine.begin; t < mine.end; ++t) {
    kernels().rms_norm(stream_.data() + t * d, weight.data(), d, eps, x + t * x_stride_);
    x[t * x_stride_ + d] = 1;
  }
  for (std::int64_t t = 0; t < rows_; ++t) desk.normed[static_cast<std::size_t>(t)] = x + t * x_stride_;
  if (!few) me.meet();
  return desk.normed.data();
}

// This member's outputs of a product, in rows `stride` apart.
void DecodingEngine::multiply(const Team::Member& me, Desk& desk, const PanelMatrix& matrix, Reading reading,
                              const float* const* x, std::int64_t tokens, float* y,
                              std::int64_t stride) const {
  const Range mine = me.part(matrix.panels());
  for (std::int64_t p = mine.begin; p < mine.end; ++p) {
    for (std::int64_t t = 0; t < tokens; ++t)
      desk.to[static_cast<std::size_t>(t)] = y + t * stride + matrix.first(p);
    multiply_panel(desk, matrix, p, reading, x, desk.every(tokens), nullptr);
  }
}

// Adds the sums of one panel to the residual stream.
void DecodingEngine::add_to_stream(Desk& desk, const PanelMatrix& matrix, std::int64_t panel, float factor) {
  for (std::int64_t t = 0; t < rows_; ++t)
    kernels().add_scaled(desk.sums.data() + t * widest_panel, factor, matrix.width(panel),
                         stream_.data() + t * config_.hidden_size + matrix.first(panel));
}

void DecodingEngine::project_head(const Team::Member& me, Desk& desk) {
  const PreparedHead& head = *parts_.head;
  const std::int64_t d = config_.hidden_size, vocab = config_.vocab_size;
  const Range mine = me.part(wanted_);
  for (std::int64_t i = mine.begin; i < mine.end; ++i) {
    const std::int64_t row = last_only_ ? (i + 1) * width_ - 1 : i;
    kernels().rms_norm(stream_.data() + row * d, head.norm.data(), d, head.rms_eps,
                       x_.data() + i * x_stride_);
  }
  me.meet();
  for (std::int64_t i = 0; i < wanted_; ++i)
    desk.normed[static_cast<std::size_t>(i)] = x_.data() + i * x_stride_;
  const Reading reading = split(me, head.weight, desk.normed.data(), wanted_);
  multiply(me, desk, head.weight, reading, desk.normed.data(), wanted_, logits_.data(), vocab);
  if (head.logits_factor == 1) return;
  const Range panels = me.part(head.weight.panels());
  for (std::int64_t i = 0; i < wanted_; ++i)
    for (std::int64_t v = head.weight.first(panels.begin); v < head.weight.first(panels.end); ++v)
      logits_[static_cast<std::size_t>(i * vocab + v)] *= head.logits_factor;
}

}  // namespace ladimo
