// What every candidate policy of every layer costs and how much it changes the output. The frontier is made
// from this.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "policy/input_cuts.h"
#include "policy/layer_policy.h"
#include "policy/monotone_curve.h"

namespace ladimo {

struct Candidate {
  LayerPolicy policy;
  double kl = 0;  // KL(dense || only this layer under the policy), nats per token, >= 0
  /// Parameters of this layer's FFN used per token: router, shared and selected neurons, and compensation
  /// vectors of the skipped experts. A dense layer uses all parameters of the original FFN.
  double activated = 0;
  /// Parameters of this layer's attention that are not used per token.
  double attention_left_out = 0;
};

/// Candidates of one layer: dense first, then thresholds by falling activity, then top_k by falling k. A
/// layer that was not converted has only dense. Single inputs may be left out under any of them.
struct LayerTable {
  int layer = 0;
  std::vector<Candidate> candidates;
  /// Per product: by rising threshold, from 0 on. Empty in runs of earlier versions.
  std::array<std::vector<CutRung>, all_products.size()> cuts = {};

  const std::vector<CutRung>& rungs(Product product) const { return cuts[static_cast<std::size_t>(product)]; }
};

/// A frontier point at which all layers were switched together and measured.
struct JointPoint {
  double sum_kl = 0;        // sum of the single-layer KLs of the chosen candidates, by Predictor::priced_kl()
  double kl = 0;            // measured on the tables split
  double nll_increase = 0;  // measured nll - dense nll
  /// Parameters of the FFNs per token, less what the attention leaves out: by the table, and as counted.
  double sum_activated = 0;
  double activated = 0;
  /// Standard error of kl over windows; absent in runs of earlier versions.
  std::optional<double> kl_se = {};
};

/// tradeoff.json.
struct TradeoffTable {
  std::string fingerprint;       // of the dense checkpoint
  std::string sensitivity;       // "measured" or "estimated"
  double rank_correlation = -2;  // Spearman, measured against estimated, where both were run; else -2
  double other_activated = 0;    // parameters used per token outside the FFNs
  double dense_nll = 0;          // of the dense model on the tables split
  std::int64_t tokens = 0;       // scored tokens of the tables split
  int routed = 0;                // routed experts of a converted layer
  std::vector<LayerTable> layers;
  std::vector<JointPoint> joint;        // by rising sum_kl
  std::vector<JointPoint> joint_top_k;  // by rising sum_kl, every sparse layer with a top_k policy
  std::vector<JointPoint> joint_cuts;   // by rising sum_kl, with all grains
  /// What a nat of an expert's single-layer KL counts for in the sums of joint_cuts. Experts of a few layers
  /// do more together than their single KLs say, which cuts do not. 1 in runs of earlier versions.
  double expert_price = 1;
  /// Absent in runs of earlier versions, which leave out no single inputs.
  std::optional<ProductSizes> sizes = {};
};

/// Single layers are measured on a part of the tables split, because their sums are corrected by joint
/// numbers, which are measured on all of it. These functions say how many of `windows` windows, spread evenly
/// over `files` files, are used: every second one for activity, and every eighth one for sensitivity, which
/// needs a pass per candidate. There are at least four, and at least one of every file.
std::int64_t activity_windows(std::int64_t windows, std::int64_t files);
std::int64_t sensitivity_windows(std::int64_t windows, std::int64_t files);

nlohmann::json to_json(const TradeoffTable& table);
/// Throws Refusal when a key is missing or a number is not finite.
TradeoffTable tradeoff_table_from_json(const nlohmann::json& json);

/// Top-k behaves differently when all layers have it. Returns the table with its points for that case in the
/// place of `joint`, where there are any.
TradeoffTable judged_by_top_k(TradeoffTable table);

/// latency.json: times of FFNs on one machine, as differences of the whole model's times. All layers have the
/// same shape, so one table serves them all.
struct LatencyTable {
  struct Point {
    double mean_experts = 0;  // routed experts on per token
    double decode_ms = 0;     // one token, batch 1
    double prefill_ms = 0;    // per token, in a prompt of `prefill_tokens`
  };
  std::string machine;  // processor or device, as the system names it
  std::string date;     // ISO 8601
  int threads = 0;
  int prefill_tokens = 0;
  double dense_decode_ms = 0;  // one dense FFN
  double dense_prefill_ms = 0;
  double other_decode_ms = 0;  // everything outside the FFNs, per token
  double other_prefill_ms = 0;
  std::vector<Point> points;  // by rising mean_experts
  /// What other programs used of all processors while times were measured, from 0 to 1. Absent in tables of
  /// earlier versions, and where the system does not say.
  std::optional<double> other_load;
  /// Why the times may be wrong: other programs were busy.
  std::optional<Problem> doubt() const;

  struct BatchPoint {
    double mean_experts = 0;
    double decode_ms = 0;
  };
  /// Times of a step of decoding, in which each of `batch` sequences gets a token.
  struct Batch {
    int batch = 1;
    double dense_decode_ms = 0;       // one dense FFN
    double other_decode_ms = 0;       // everything outside the FFNs, after `short_context` tokens
    double other_long_decode_ms = 0;  // the same after `long_context` tokens
    std::vector<BatchPoint> points;   // by rising mean_experts
  };
  /// Decoding with several sequences and after longer texts.
  struct Grid {
    int short_context = 0, long_context = 0;  // tokens, rising
    std::vector<Batch> batches;               // by rising batch
  };
  /// Absent in tables of earlier versions, and where the model has too few positions for a long context.
  std::optional<Grid> grid;

  /// The table with decode times of steps with `batch` sequences after `context` tokens. Attention reads one
  /// more key and value per token, so its time is a straight line over the context. Throws Refusal when the
  /// batch was not measured.
  LatencyTable at(int batch, int context) const;

  /// What leaving out single inputs does to the time of a token. Absent in tables of earlier versions, where
  /// it is taken to save nothing.
  struct Cuts {
    double layer_ms = 0;          // for choosing, in every layer that leaves some out
    double ms_per_parameter = 0;  // saved
    /// The time that a layer saves with `left_out` parameters.
    double saved_ms(double left_out) const {
      return left_out > 0 ? ms_per_parameter * left_out - layer_ms : 0;
    }
  };
  std::optional<Cuts> cuts;

  /// The time of an FFN with all inputs of what runs.
  double decode_ms(const LayerPolicy& policy) const;
  double prefill_ms(const LayerPolicy& policy) const;
  /// Times of a sparse policy over mean_experts, interpolated monotonically. Noise by which more experts seem
  /// faster is averaged out first. Throws Refusal when there are no points.
  MonotoneCurve decode_curve() const;
  MonotoneCurve prefill_curve() const;
};

nlohmann::json to_json(const LatencyTable& table);
/// Throws Refusal when a key is missing, a number is not finite or points, contexts or batches do not rise.
LatencyTable latency_table_from_json(const nlohmann::json& json);

}  // namespace ladimo
