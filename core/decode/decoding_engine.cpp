#include "decode/decoding_engine.h"

#include <algorithm>
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

void fill_zero(float* values, std::int64_t count) { std::fill_n(values, count, 0.0f); }

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
    split_steps_ =
        (std::max({config_.hidden_size + 1, config_.heads * config_.head_dim + 1, f}) + tile_size - 1) /
        tile_size;
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
  grow(split_, (room_ + tile_size - 1) / tile_size * split_steps_);
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
  constexpr std::int64_t grain = 512;
  const std::int64_t seen = (start_ + width_ + grain - 1) / grain * grain;
  const std::size_t bytes = kernels().tiles.attend_room(seen, config_.head_dim);
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

// A router has few outputs, so members share the tokens if there are many.
void DecodingEngine::multiply_router(const Team::Member& me, Desk& desk, const PanelMatrix& matrix,
                                     const float* const* x, float* y, std::int64_t stride) const {
  if (rows_ < PanelMatrix::many) return multiply(me, desk, matrix, Reading::all, x, rows_, y, stride);
  const Range mine = me.part(rows_);
  for (std::int64_t p = 0; p < matrix.panels(); ++p) {
    for (std::int64_t t = mine.begin; t < mine.end; ++t) {
      float* const row = y + t * stride + matrix.first(p);
      fill_zero(row, matrix.width(p));
      desk.to[static_cast<std::size_t>(t)] = row;
    }
    matrix.multiply(p, {0, matrix.inputs()}, x + mine.begin, desk.to.data() + mine.begin,
                    mine.end - mine.begin, nullptr);
  }
}

void DecodingEngine::route(const Team::Member& me, Desk& desk, const Layer& layer, const float* const* x) {
  const PreparedFfn& ffn = *layer.ffn;
  if (ffn.router_hidden.panels() > 0) {
    const std::int64_t r = ffn.router_hidden.outputs();
    multiply_router(me, desk, ffn.router_hidden, x, hidden_.data(), hidden_stride_);
    me.meet();
    for (std::int64_t t = 0; t < rows_; ++t)
      desk.from[static_cast<std::size_t>(t)] = hidden_.data() + t * hidden_stride_;
    const Range mine = me.part(rows_);
    for (std::int64_t t = mine.begin; t < mine.end; ++t) {
      float* const row = hidden_.data() + t * hidden_stride_;
      kernels().silu(row, r, row);
      row[r] = 1;
    }
    me.meet();
    x = desk.from.data();
  }
  multiply_router(me, desk, ffn.router, x, routing_.data(), routing_stride_);
  me.meet();
  desk.tokens.choose(routing_.data(), routing_stride_, rows_, ffn.slices(), layer.policy);
}

void DecodingEngine::count_experts(const Desk& desk, std::size_t layer) {
  std::int32_t* const counts = experts_.data() + static_cast<std::int64_t>(layer) * rows_;
  std::fill_n(counts, rows_, 0);
  for (std::int64_t e = 0; e < parts_.layers[layer].ffn->slices(); ++e)
    for (const std::int32_t t : desk.tokens.running(e)) ++counts[t];
}

void DecodingEngine::run_neurons(const Team::Member& me, Desk& desk, std::size_t layer, float* const* x) {
  const PreparedFfn& ffn = *parts_.layers[layer].ffn;
  const Reading reading = choose_inputs(me, desk, layer, Product::gate_up, ffn.gate_up, x);
  if (me.rank() == 0 && parts_.layers[layer].policy.kind != LayerPolicy::Kind::dense)
    count_experts(desk, layer);
  const void* const down = ffn.down.data(me.part(ffn.down.panels()).begin);
  const auto blocks = std::ssize(ffn.blocks);
  if (rows_ >= PanelMatrix::many) {  // who is free takes the next two, which may share cache lines
    const auto next_of = [&](std::int64_t b) {
      const std::int64_t next = b % 2 == 0 ? b + 1 : b + 2 * me.size() - 1;
      return next < blocks ? ffn.gate_up.data(next) : down;
    };
    for (std::int64_t first = 2 * claimed_blocks_++; first < blocks; first = 2 * claimed_blocks_++)
      for (std::int64_t b = first; b < std::min(first + 2, blocks); ++b)
        run_block(desk, ffn, b, reading, x, next_of(b));
    return;
  }
  const auto work_of = [&](const PreparedFfn::Block& block) {
    return block.count * std::ssize(tokens_of(desk, block));
  };
  std::int64_t total = 0, before = 0;
  for (const auto& block : ffn.blocks) total += work_of(block);
  desk.blocks.clear();
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t work = work_of(ffn.blocks[static_cast<std::size_t>(b)]);
    if (work > 0 && (before + work / 2) * me.size() / total == me.rank()) desk.blocks.push_back(b);
    before += work;
  }
  for (std::size_t i = 0; i < desk.blocks.size(); ++i)
    run_block(desk, ffn, desk.blocks[i], reading, x,
              i + 1 < desk.blocks.size() ? ffn.gate_up.data(desk.blocks[i + 1]) : down);
}

std::span<const std::int32_t> DecodingEngine::tokens_of(const Desk& desk,
                                                        const PreparedFfn::Block& block) const {
  return block.slice < 0 ? desk.every(rows_) : desk.tokens.running(block.slice);
}

// Whether the down projection takes all neurons of a token, with zeros for those that do not run: the neurons
// of an expert are too few to fill tiles.
bool DecodingEngine::takes_all_neurons(const PreparedFfn& ffn) const {
  return rows_ >= PanelMatrix::many && ffn.down.in_tiles();
}

// The neurons of one block for all tokens that run it.
void DecodingEngine::run_block(Desk& desk, const PreparedFfn& ffn, std::int64_t index, Reading reading,
                               const float* const* x, const void* next) {
  const auto& block = ffn.blocks[static_cast<std::size_t>(index)];
  const auto running = tokens_of(desk, block);
  // Tiles copy what does not lie together, which takes longer than to compute a quarter more.
  const bool all = reading == Reading::tiles && 5 * std::ssize(running) > 4 * rows_;
  const auto computed = all ? desk.every(rows_) : running;
  for (std::size_t t = 0; t < computed.size(); ++t) desk.to[t] = desk.sums.data() + t * widest_panel;
  if (reading == Reading::rows) {
    fill_zero(desk.to[0], 2 * block.count);
    const std::int64_t f = ffn.neurons();
    add_partial({block.first, block.first + block.count}, desk.to[0]);
    add_partial({f + block.first, f + block.first + block.count}, desk.to[0] + block.count);
  } else {
    multiply_panel(desk, ffn.gate_up, index, reading, x, computed, next);
  }
  for (std::size_t t = 0; t < running.size(); ++t) {
    desk.from[t] = desk.sums.data() + (all ? running[t] : static_cast<std::int64_t>(t)) * widest_panel;
    desk.to[t] = h_.data() + running[t] * h_stride_ + block.first;
  }
  kernels().swiglu_rows(desk.from.data(), std::ssize(running), block.count, desk.to.data());
  if (!takes_all_neurons(ffn) || block.slice < 0) return;
  for (const std::int32_t t : desk.tokens.skipping(block.slice))
    fill_zero(h_.data() + t * h_stride_ + block.first, block.count);
}

void DecodingEngine::project_down(const Team::Member& me, Desk& desk, std::size_t index) {
  const Layer& layer = parts_.layers[index];
  const PreparedFfn& ffn = *layer.ffn;
  const auto every = desk.every(rows_);
  desk.runs.clear();
  const bool dense = layer.policy.kind == LayerPolicy::Kind::dense;
  desk.runs.push_back({&ffn.down, {0, dense ? ffn.neurons() : ffn.shape.shared_neurons}, every});
  const std::int64_t slices = dense ? 0 : ffn.slices();
  for (std::int64_t e = 0; e < slices; ++e)
    if (const auto tokens = desk.tokens.running(e); !tokens.empty())
      desk.runs.push_back({&ffn.down, ffn.slice(e), tokens});
  for (std::int64_t e = 0; ffn.compensated && e < slices; ++e)
    if (const auto tokens = desk.tokens.skipping(e); !tokens.empty())
      desk.runs.push_back({&ffn.added, {e, e + 1}, tokens});
  if (ffn.output_bias) desk.runs.push_back({&ffn.added, {ffn.added.inputs() - 1, ffn.added.inputs()}, every});

  Reading reading = choose_neurons(me, desk, index);
  if (reading == Reading::all && takes_all_neurons(ffn))
    reading = split(me, ffn.down, desk.hidden.data(), rows_);
  const bool together = reading != Reading::all;  // all neurons of a token
  const Range mine = me.part(ffn.down.panels());
  for (std::int64_t p = mine.begin; p < mine.end; ++p) {
    if (!together) {
      fill_zero(desk.sums.data(), rows_ * widest_panel);
    } else {
      for (std::int64_t t = 0; t < rows_; ++t)
        desk.to[static_cast<std::size_t>(t)] = desk.sums.data() + t * widest_panel;
      multiply_panel(desk, ffn.down, p, reading, desk.hidden.data(), every,
                     p + 1 < mine.end ? ffn.down.data(p + 1) : after_ffn(me, index));
    }
    for (std::size_t r = 0; r < desk.runs.size(); ++r) {
      const InputRun& run = desk.runs[r];
      if (together && run.matrix == &ffn.down) continue;
      for (std::size_t t = 0; t < run.tokens.size(); ++t) {
        desk.from[t] = run.matrix == &ffn.down ? h_.data() + run.tokens[t] * h_stride_ : ones_.data();
        desk.to[t] = desk.sums.data() + run.tokens[t] * widest_panel;
      }
      const void* const next = r + 1 < desk.runs.size()
                                   ? desk.runs[r + 1].matrix->data(p, desk.runs[r + 1].inputs.begin)
                               : p + 1 < mine.end ? desk.runs[0].matrix->data(p + 1)
                                                  : after_ffn(me, index);
      run.matrix->multiply(p, run.inputs, desk.from.data(), desk.to.data(),
                           static_cast<std::int64_t>(run.tokens.size()), next);
    }
    add_to_stream(desk, ffn.down, p, layer.attention->residual_multiplier);
  }
}

// What a member reads first after the FFN of a layer.
const void* DecodingEngine::after_ffn(const Team::Member& me, std::size_t layer) const {
  if (layer + 1 == parts_.layers.size()) {
    const PanelMatrix& head = parts_.head->weight;
    return head.data(me.part(head.panels()).begin);
  }
  const PreparedAttention& next = *parts_.layers[layer + 1].attention;
  return next.qkv.data(me.part(next.heads + 2 * next.kv_heads).begin * next.head_panels);
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
