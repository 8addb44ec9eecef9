// The FFN of the decoding engine: router, neurons and down projection.
#include <algorithm>

#include "decode/decoding_engine.h"
#include "decode/desk.h"
#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

void fill_zero(float* values, std::int64_t count) { std::fill_n(values, count, 0.0f); }

}  // namespace

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
  desk.takes_all_neurons = takes_all_neurons(desk, parts_.layers[layer]);
  if (me.rank() == 0 && parts_.layers[layer].policy.kind != LayerPolicy::Kind::dense)
    count_experts(desk, layer);
  const void* const down = ffn.down.data(me.part(ffn.down.panels()).begin);
  const auto blocks = std::ssize(ffn.blocks);
  if (rows_ >= PanelMatrix::many) {  // who is free takes the next block
    for (std::int64_t b = claimed_blocks_++; b < blocks; b = claimed_blocks_++)
      run_block(desk, ffn, b, reading, x, b + me.size() < blocks ? ffn.gate_up.data(b + me.size()) : down);
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

// Whether the down projection takes all neurons of a token, with zeros for those that do not run. The neurons
// of one expert are too few to fill tiles, and tiles multiply all of them sooner than other registers
// multiply a quarter.
bool DecodingEngine::takes_all_neurons(const Desk& desk, const Layer& layer) const {
  const PreparedFfn& ffn = *layer.ffn;
  if (rows_ < PanelMatrix::many || !ffn.down.in_tiles()) return false;
  if (layer.policy.kind == LayerPolicy::Kind::dense) return true;
  std::int64_t running = rows_ * ffn.shape.shared_neurons;
  for (std::int64_t e = 0; e < ffn.slices(); ++e)
    running += std::ssize(desk.tokens.running(e)) * ffn.shape.expert_neurons;
  return 4 * running >= rows_ * ffn.neurons();
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
  if (!desk.takes_all_neurons || block.slice < 0) return;
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
  if (reading == Reading::all && desk.takes_all_neurons)
    reading = split(me, ffn.down, desk.hidden.data(), rows_);
  const bool together = reading != Reading::all;  // all neurons of a token
  const Range mine = me.part(ffn.down.panels());
  for (std::int64_t p = mine.begin; p < mine.end; ++p) {
    if (together) {
      for (std::int64_t t = 0; t < rows_; ++t)
        desk.to[static_cast<std::size_t>(t)] = desk.sums.data() + t * widest_panel;
      multiply_panel(desk, ffn.down, p, reading, desk.hidden.data(), every,
                     p + 1 < mine.end ? ffn.down.data(p + 1) : after_ffn(me, index));
    } else {
      fill_zero(desk.sums.data(), rows_ * widest_panel);
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

}  // namespace ladimo
