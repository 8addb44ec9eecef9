// Trade-off tables with the shape of real ones and random numbers, for the frontier's tests and benchmark.
#pragma once

#include <cmath>

#include "base/random.h"
#include "policy/tradeoff_table.h"

namespace ladimo::testing {

struct TableShape {
  int layers = 6;
  int thresholds = 8;  // per layer
  int top_ks = 3;      // per layer
  int routed = 48;
  double dense_ffn = 1e6;  // parameters of one FFN
};

/// KL rises as activity falls, more steeply in some layers than in others. Top-k is worse than thresholds.
inline TradeoffTable random_table(const TableShape& shape, std::uint64_t seed) {
  Random random(seed, "table");
  TradeoffTable table;
  table.fingerprint = "0123456789abcdef0123456789abcdef";
  table.sensitivity = "measured";
  table.other_activated = 0.4e6 * shape.layers;
  table.dense_nll = 3.5;
  table.tokens = 12288;
  table.routed = shape.routed;
  const auto activated = [&](double experts) {
    return shape.dense_ffn * (0.26 + 0.76 * experts / shape.routed);
  };
  for (int l = 0; l < shape.layers; ++l) {
    LayerTable layer{l, {{LayerPolicy::dense(), 0, shape.dense_ffn}}};
    const double fragility = std::exp(3 * random.uniform()) * 1e-3;
    double kl = 0, threshold = 1e-3;
    for (int i = 0; i < shape.thresholds; ++i) {
      const double experts =
          shape.routed * (shape.thresholds - i - 0.5 * random.uniform()) / (shape.thresholds + 1);
      kl += fragility * random.uniform();
      threshold *= 1.1 + random.uniform();
      layer.candidates.push_back({LayerPolicy::above(threshold, experts), kl, activated(experts)});
    }
    for (int i = 0; i < shape.top_ks; ++i) {
      const int k = shape.routed * (shape.top_ks - i) / (shape.top_ks + 1);
      layer.candidates.push_back({LayerPolicy::top(k), fragility * (i + 1 + random.uniform()), activated(k)});
    }
    table.layers.push_back(layer);
  }
  return table;
}

/// Adds joint points like measured ones: KL is a little above the sum, activity a little below.
inline void add_joint_points(TradeoffTable& table) {
  const double dense = static_cast<double>(table.layers.size()) * table.layers[0].candidates[0].activated;
  for (const double share : {0.9, 0.8, 0.7, 0.6, 0.5}) {
    const double sum_kl = 0.2 * (1 - share) * (1 - share);
    table.joint.push_back(
        {sum_kl, 1.1 * sum_kl, 0.8 * sum_kl, share * dense, (share - 0.08 * (1 - share)) * dense});
  }
}

/// Adds what single inputs save and cost. The parameters outside the FFNs hold those of q, k, v and o.
inline void add_cuts(TradeoffTable& table, std::uint64_t seed) {
  Random random(seed, "cuts");
  const double dense_ffn = table.layers[0].candidates[0].activated;
  const double neurons = 512, hidden = dense_ffn / (3 * neurons);
  table.sizes = ProductSizes{hidden, 0.04e6, 0.02e6, neurons, neurons / 4, neurons * 0.75 / table.routed};
  for (LayerTable& layer : table.layers)
    for (auto& rungs : layer.cuts) {
      rungs = {{}};
      const double fragility = std::exp(3 * random.uniform()) * 1e-3;
      for (int k = 1; k <= 12; ++k) {
        const double left_out = 0.06 * k;
        rungs.push_back({0.02 * k * (1 + 0.05 * random.uniform()), 1 - left_out,
                         rungs.back().kl + fragility * left_out * (0.5 + random.uniform())});
      }
    }
}

/// Joint points of cuts: KL is half as much again as the sum, and as much runs as the table says.
inline void add_joint_cuts(TradeoffTable& table) {
  const double dense = static_cast<double>(table.layers.size()) * table.layers[0].candidates[0].activated;
  for (const double share : {0.9, 0.7, 0.5, 0.3})
    table.joint_cuts.push_back(
        {0.2 * (1 - share), 0.3 * (1 - share), 0.25 * (1 - share), share * dense, share * dense});
}

inline LatencyTable random_latency(int routed) {
  LatencyTable latency;
  latency.machine = "a machine";
  latency.date = "2025-01-01";
  latency.threads = 2;
  latency.prefill_tokens = 128;
  latency.dense_decode_ms = 1;
  latency.dense_prefill_ms = 0.1;
  latency.other_decode_ms = 2;
  latency.other_prefill_ms = 0.2;
  for (int i = 0; i <= 8; ++i)
    latency.points.push_back({routed * i / 8.0, 0.35 + 0.8 * i / 8, 0.05 + 0.08 * i / 8});
  return latency;
}

}  // namespace ladimo::testing
