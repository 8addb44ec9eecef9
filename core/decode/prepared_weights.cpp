#include "decode/prepared_weights.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

namespace ladimo {
namespace {

constexpr std::int64_t lanes = 16;

std::vector<float> floats(const at::Tensor& vector) {
  if (!vector.defined()) return {};
  const at::Tensor exact = vector.to(at::kCPU, at::kFloat).contiguous();
  const auto* values = exact.data_ptr<float>();
  return {values, values + exact.numel()};
}

PanelType type_of(const at::Tensor& weights, const Preparing& preparing) {
  return preparing.holding == Holding::q8_0 ? PanelType::q8_0 : panel_type(weights);
}

// Rows from ... of a linear layer [outputs, inputs] as columns of a panel, and below the inputs its bias,
// where it has one.
at::Tensor columns(const at::Tensor& weight, const at::Tensor& bias, std::int64_t from, std::int64_t count) {
  const at::Tensor inputs = weight.narrow(0, from, count).t();
  return bias.defined() ? at::cat({inputs, bias.narrow(0, from, count).unsqueeze(0)}) : inputs;
}

PanelMatrix linear(const at::Tensor& weight, const at::Tensor& bias, PanelType type,
                   const Preparing& preparing) {
  PanelMatrix matrix(preparing.arena, type, weight.size(1), bias.defined(),
                     even_panels(weight.size(0), preparing.threads));
  for (std::int64_t p = 0; p < matrix.panels(); ++p)
    matrix.set(p, columns(weight, bias, matrix.first(p), matrix.width(p)));
  return matrix;
}

// [rows, outputs], stored as it will be read.
void set_rows(PanelMatrix& matrix, const at::Tensor& rows) {
  for (std::int64_t p = 0; p < matrix.panels(); ++p)
    matrix.set(p, rows.narrow(1, matrix.first(p), matrix.width(p)));
}

// The panels of every head.
std::vector<std::int64_t> head_widths(std::int64_t heads, std::int64_t head_dim) {
  std::vector<std::int64_t> widths;
  const std::vector<std::int64_t> one = even_panels(head_dim, 1);
  for (std::int64_t h = 0; h < heads; ++h) widths.insert(widths.end(), one.begin(), one.end());
  return widths;
}

// Splits neurons into blocks whose gate and up projections fill one panel. A slice that always runs gives
// every thread the same number of blocks.
void add_blocks(std::vector<PreparedFfn::Block>& blocks, Range neurons, std::int64_t slice, int threads) {
  constexpr std::int64_t unit = lanes / 2, most = widest_panel / 2;
  const std::int64_t count = neurons.end - neurons.begin, units = (count + unit - 1) / unit;
  const std::int64_t share = slice < 0 ? threads : 1;
  const std::int64_t parts = std::min(units, share * ((count + share * most - 1) / (share * most)));
  for (std::int64_t p = 0; p < parts; ++p) {
    const std::int64_t begin = units * p / parts * unit;
    const std::int64_t end = std::min(units * (p + 1) / parts * unit, count);
    blocks.push_back({neurons.begin + begin, end - begin, slice});
  }
}

}  // namespace

PreparedAttention::PreparedAttention(const DecoderLayer& layer, const Preparing& preparing)
    : attention_norm(floats(layer.attention_norm)),
      ffn_norm(floats(layer.ffn_norm)),
      q_norm(floats(layer.q_norm)),
      k_norm(floats(layer.k_norm)),
      heads(layer.heads),
      kv_heads(layer.kv_heads),
      head_dim(layer.head_dim),
      sliding_window(layer.sliding_window),
      head_panels(static_cast<std::int64_t>(even_panels(layer.head_dim, 1).size())),
      rms_eps(static_cast<float>(layer.rms_eps)),
      scale(static_cast<float>(layer.attention_scale)),
      residual_multiplier(static_cast<float>(layer.residual_multiplier)) {
  const bool biased = layer.q_bias.defined() || layer.k_bias.defined() || layer.v_bias.defined();
  qkv = PanelMatrix(preparing.arena, type_of(layer.q, preparing), layer.q.size(1), biased,
                    head_widths(heads + 2 * kv_heads, head_dim));
  std::int64_t begin = 0;
  for (const auto& [weight, bias] : {std::pair{layer.q, layer.q_bias}, std::pair{layer.k, layer.k_bias},
                                     std::pair{layer.v, layer.v_bias}}) {
    const at::Tensor biases =
        biased && !bias.defined() ? at::zeros({weight.size(0)}, weight.options()) : bias;
    for (std::int64_t p = 0; p < qkv.panels(); ++p)
      if (qkv.first(p) >= begin && qkv.first(p) < begin + weight.size(0))
        qkv.set(p, columns(weight, biases, qkv.first(p) - begin, qkv.width(p)));
    begin += weight.size(0);
  }
  o = linear(layer.o, layer.o_bias, type_of(layer.o, preparing), preparing);
}

struct PreparedFfn::Parts {
  at::Tensor gate, up;            // [f, d]
  at::Tensor down;                // [f, d]
  at::Tensor gate_bias, up_bias;  // [f] or undefined
  at::Tensor down_bias;           // [d] or undefined
  at::Tensor compensation;        // [E, d] or undefined
  MoeShape shape;
};

PreparedFfn::PreparedFfn(const Parts& parts, const Preparing& preparing)
    : shape(parts.shape), compensated(parts.compensation.defined()), output_bias(parts.down_bias.defined()) {
  const std::int64_t f = parts.gate.size(0), d = parts.gate.size(1);
  const PanelType type = type_of(parts.gate, preparing);
  add_blocks(blocks, {0, shape.shared_neurons}, -1, preparing.threads);
  for (std::int64_t e = 0; e < slices(); ++e)
    add_blocks(blocks,
               {shape.shared_neurons + e * shape.expert_neurons,
                shape.shared_neurons + (e + 1) * shape.expert_neurons},
               e, preparing.threads);
  std::vector<std::int64_t> widths;
  for (const Block& block : blocks) widths.push_back(2 * block.count);
  gate_up = PanelMatrix(preparing.arena, type, d, parts.gate_bias.defined(), widths);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto& [first, count, slice] = blocks[b];
    gate_up.set(static_cast<std::int64_t>(b), at::cat({columns(parts.gate, parts.gate_bias, first, count),
                                                       columns(parts.up, parts.up_bias, first, count)},
                                                      1));
  }
  const auto output_panels = even_panels(d, preparing.threads);
  down = PanelMatrix(preparing.arena, type, f, false, output_panels);
  set_rows(down, parts.down);
  neuron_norms = floats(parts.down.to(at::kFloat).norm(2, 1));
  std::vector<at::Tensor> rows;
  if (compensated) rows.push_back(parts.compensation);
  if (output_bias) rows.push_back(parts.down_bias.unsqueeze(0));
  if (rows.empty()) return;
  added = PanelMatrix(preparing.arena, panel_type(rows.front()),
                      (compensated ? slices() : 0) + (output_bias ? 1 : 0), false, output_panels);
  set_rows(added, at::cat(rows));
}

PreparedFfn::PreparedFfn(const DenseFfn& ffn, const Preparing& preparing)
    : PreparedFfn(
          Parts{ffn.gate, ffn.up, ffn.down.t(), ffn.gate_bias, ffn.up_bias, ffn.down_bias, {}, ffn.shape()},
          preparing) {}

PreparedFfn::PreparedFfn(const MoeWeights& weights, const Preparing& preparing)
    : PreparedFfn(Parts{weights.gate, weights.up, weights.down, weights.gate_bias, weights.up_bias,
                        weights.down_bias, weights.compensation, weights.shape()},
                  preparing) {
  if (weights.router_hidden.defined())
    router_hidden = linear(weights.router_hidden, weights.router_hidden_bias, PanelType::fp32, preparing);
  router = linear(weights.router, weights.router_bias, PanelType::fp32, preparing);
}

Range PreparedFfn::slice(std::int64_t index) const {
  const std::int64_t begin = shape.shared_neurons + index * shape.expert_neurons;
  return {begin, begin + shape.expert_neurons};
}

double PreparedFfn::bytes(const LayerPolicy& policy) const {
  const auto inputs_of = [](const PanelMatrix& matrix, double inputs, double outputs) {
    return matrix.panels() > 0 ? inputs * outputs * matrix.element_bytes() : 0.0;
  };
  const auto all_of = [&](const PanelMatrix& matrix) {
    return inputs_of(matrix, static_cast<double>(matrix.inputs()), static_cast<double>(matrix.outputs()));
  };
  const auto d = static_cast<double>(down.outputs());
  const double mean_experts = policy.mean_experts;
  const double running =
      static_cast<double>(shape.shared_neurons) + mean_experts * static_cast<double>(shape.expert_neurons);
  const auto& cut = policy.cut(Product::down);
  const double used = cut.threshold > 0 ? cut.share * static_cast<double>(neurons()) : running;
  const double skipped = compensated ? static_cast<double>(slices()) - mean_experts : 0;
  return all_of(router_hidden) + all_of(router) +
         inputs_of(gate_up, static_cast<double>(gate_up.inputs()) * policy.cut(Product::gate_up).share,
                   2 * running) +
         inputs_of(down, used, d) + inputs_of(added, skipped + (output_bias ? 1 : 0), d);
}

PreparedRows::PreparedRows(const DecoderLayer& layer, const DenseFfn* ffn, Arena& arena) {
  // Linear layers [outputs, inputs] that read the same inputs, one after another, and below them their
  // biases, where one of them has some.
  const auto side_by_side = [&](const std::vector<at::Tensor>& weights,
                                const std::vector<at::Tensor>& biases) {
    at::Tensor rows = at::cat(weights).t();
    if (std::ranges::none_of(biases, [](const at::Tensor& bias) { return bias.defined(); }))
      return WideMatrix(arena, rows);
    std::vector<at::Tensor> all;
    for (std::size_t i = 0; i < weights.size(); ++i)
      all.push_back(biases[i].defined() ? biases[i] : at::zeros({weights[i].size(0)}, weights[i].options()));
    return WideMatrix(arena, at::cat({rows, at::cat(all).unsqueeze(0)}));
  };
  qkv = side_by_side({layer.q, layer.k, layer.v}, {layer.q_bias, layer.k_bias, layer.v_bias});
  o = side_by_side({layer.o}, {layer.o_bias});
  if (ffn == nullptr) return;
  gate_up = side_by_side({ffn->gate, ffn->up}, {ffn->gate_bias, ffn->up_bias});
  down = WideMatrix(arena, ffn->down.t());  // its bias is added elsewhere
}

const WideMatrix* PreparedRows::of(Product product) const {
  const WideMatrix* const matrices[] = {&qkv, &o, &gate_up, &down};
  const WideMatrix* const matrix = matrices[static_cast<std::size_t>(product)];
  return matrix->outputs() > 0 ? matrix : nullptr;
}

PreparedHead::PreparedHead(const Head& head, const Preparing& preparing)
    : norm(floats(head.norm)),
      weight(linear(head.weight, {}, type_of(head.weight, preparing), preparing)),
      rms_eps(static_cast<float>(head.rms_eps)),
      logits_factor(static_cast<float>(1 / head.logits_scaling)) {}

}  // namespace ladimo
