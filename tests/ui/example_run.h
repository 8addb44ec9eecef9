// A run as `ladimo show RUN --json` tells it, made with the core's own writers: full ladders, joint points
// and measured times. Its size can be chosen, from the demo's six layers to a model of eighty.
#pragma once

#include <cmath>
#include <filesystem>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "policy/frontier.h"
#include "policy/policy_file.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/recipe.h"
#include "run/run_folder.h"
#include "ui/models/run_data.h"

namespace ladimo::testing {

inline constexpr int example_layers = 6;
inline constexpr int example_routed = 48;
inline constexpr double example_ffn = 294912;  // parameters of one dense FFN

struct ExampleShape {
  int layers = example_layers;
  int not_converted = -1;   // index of a layer that was not converted, or none
  double dense_ms = 0.034;  // time of one FFN; so short that no policy is faster
  bool cuts = false;        // whether the run knows single inputs
};

inline Recipe example_recipe(const ExampleShape& shape = {}) {
  Recipe recipe;
  recipe.model = "models/tiny-stories";
  recipe.model_fingerprint = "0123456789abcdef0123456789abcdef";
  recipe.text = {"text/stories-train.txt", "text/books-train.txt"};
  recipe.text_fingerprints = {"a", "b"};
  recipe.tokens = 99840;
  recipe.window = 512;
  recipe.experts = 64;
  recipe.shared = 16;
  for (int layer = 0; layer < shape.layers; ++layer)
    if (layer != shape.not_converted) recipe.layers.push_back(layer);
  return recipe;
}

/// A ladder of dense, ten thresholds and four top-ks. The first layer is the most fragile.
inline LayerTable example_ladder(int layer) {
  const double fragility = 0.08 / (1 + layer % 9);
  const auto activated = [](double experts) {
    return example_ffn * (0.27 + 0.76 * experts / example_routed);
  };
  const auto kl = [&](double experts) { return fragility * std::pow(1 - experts / example_routed, 2); };
  LayerTable table{layer, {{LayerPolicy::dense(), 0, example_ffn}}};
  for (int rung = 0; rung < 10; ++rung) {
    const double experts = 44 - 4.4 * rung;
    const double threshold = 0.012 * std::pow(1.22, rung) * (1 + 0.02 * (layer % 5));
    table.candidates.push_back({LayerPolicy::above(threshold, experts), kl(experts), activated(experts)});
  }
  for (const int k : {36, 24, 12, 0})
    table.candidates.push_back({LayerPolicy::top(k), 1.8 * kl(k), activated(k)});
  return table;
}

inline TradeoffTable example_tradeoff(const ExampleShape& shape = {}) {
  TradeoffTable table;
  table.fingerprint = example_recipe().model_fingerprint;
  table.sensitivity = "measured";
  table.other_activated = 1452672;
  table.dense_nll = 3.05;
  table.tokens = 12288;
  table.routed = example_routed;
  for (int layer = 0; layer < shape.layers; ++layer) {
    table.layers.push_back(example_ladder(layer));
    if (layer == shape.not_converted) table.layers.back().candidates.resize(1);
  }
  const double dense = shape.layers * example_ffn;
  for (const double share : {0.9, 0.75, 0.6, 0.45}) {
    const double kl = 0.3 * std::pow(1 - share, 2);
    table.joint.push_back({kl, 1.06 * kl, 0.9 * kl, share * dense, (share + 0.002) * dense});
  }
  if (!shape.cuts) return table;
  table.sizes = ProductSizes{192, 61440, 36864, 512, 128, 8};
  for (LayerTable& layer : table.layers)
    for (auto& rungs : layer.cuts) {
      rungs.push_back({});
      for (int rung = 1; rung <= 15; ++rung)
        rungs.push_back({0.02 * rung, 1 - 0.04 * rung, 2e-5 * std::pow(rung, 2.4) / (1 + layer.layer % 9)});
    }
  for (const double share : {0.8, 0.6, 0.4}) {
    const double kl = 0.2 * std::pow(1 - share, 2);
    table.joint_cuts.push_back({kl, 1.2 * kl, kl, share * dense, share * dense});
  }
  return table;
}

inline LatencyTable example_latency(const ExampleShape& shape = {}) {
  LatencyTable table;
  table.machine = "Example processor";
  table.date = "2026-11-23T10:00:00Z";
  table.threads = 2;
  table.prefill_tokens = 128;
  table.dense_decode_ms = shape.dense_ms;
  table.dense_prefill_ms = 0.0065;
  table.other_decode_ms = 1.2;
  table.other_prefill_ms = 0.075;
  for (const double experts : {0.0, 12.0, 24.0, 36.0, 48.0})
    table.points.push_back({experts, 0.02 + 0.0005 * experts, 0.009});
  return table;
}

inline Policy example_policy(const ExampleShape& shape = {}) {
  return Frontier(example_tradeoff(shape), nullptr, Cost::activated).at_tradeoff(0.4);
}

inline RoutingProfile example_profile(const ExampleShape& shape = {}) {
  RoutingProfile profile;
  profile.tokens = 12288;
  for (int layer = 0; layer < shape.layers; ++layer) {
    if (layer == shape.not_converted) continue;
    LayerProfile one;
    one.layer = layer;
    one.routed = example_routed;
    one.shared_neurons = 128;
    one.expert_neurons = 8;
    one.middle_threshold = 0.02;
    one.all.assign(histogram_bins + 2, 0);
    one.top1 = one.all;
    for (int bin = 1; bin <= histogram_bins; ++bin) {
      const double x = std::log10(histogram_edge(bin)) + 1.55 - 0.04 * (layer % 5);
      one.all[static_cast<std::size_t>(bin)] = std::llround(5000 * std::exp(-x * x * 12));
      one.top1[static_cast<std::size_t>(bin)] = std::llround(900 * std::exp(-(x - 0.3) * (x - 0.3) * 40));
    }
    for (int expert = 0; expert < example_routed; ++expert)
      one.expert_load.push_back(0.5 + 0.35 * std::sin(1.7 * expert + layer));
    for (const Candidate& candidate : example_ladder(layer).candidates) {
      if (candidate.policy.kind == LayerPolicy::Kind::dense) continue;
      LayerProfile::Load load{candidate.policy, {}, {}};
      const double share = candidate.policy.mean_experts / example_routed;
      for (int expert = 0; expert < example_routed; ++expert)
        load.experts.push_back(share + 0.7 * share * (1 - share) * std::sin(1.7 * expert + layer));
      one.loads.push_back(load);
    }
    one.mean_weight.assign(example_routed, 0.03);
    for (int on = 0; on < example_routed; ++on)
      for (int with = 0; with < example_routed; ++with)
        one.coactivation.push_back(on == with ? 1 : 0.3 + 0.25 * std::cos(0.5 * (on - with)));
    one.entropy = 0.97;
    profile.layers.push_back(one);
  }
  for (int layer = 0; shape.cuts && layer < shape.layers; ++layer) {
    InputProfile inputs{layer, {}};
    for (HistogramCounts& sizes : inputs.sizes) {
      sizes.assign(histogram_bins + 2, 0);
      for (int bin = 1; bin <= histogram_bins; ++bin)
        sizes[static_cast<std::size_t>(bin)] =
            std::llround(1e5 * histogram_edge(bin) * std::exp(-4 * histogram_edge(bin)));
    }
    profile.inputs.push_back(inputs);
  }
  return profile;
}

inline Measurement example_measurement(const Policy& policy, double kl) {
  Measurement found;
  found.date = "2026-11-23T12:00:00Z";
  found.machine = "Example processor";
  found.tokens = 12240;
  found.window = 512;
  found.policy = policy;
  found.numbers = policy.predicted;
  found.numbers.kl = kl;
  found.numbers.decode_ms = found.numbers.prefill_ms = std::nullopt;
  found.dense_perplexity = 21.1;
  found.same_top = 0.93;
  found.same_top_se = 0.002;
  found.kl_percentiles = {0.008, 0.07, 0.2, 1.9};
  return found;
}

/// Answers to 400 questions, of which only one of both models answers `lost` and `gained` right.
inline TaskResult example_task(const std::string& name, std::int64_t lost, std::int64_t gained) {
  constexpr double n = 400;
  const double dense = 0.65, converted = dense + static_cast<double>(gained - lost) / n;
  return {name,
          static_cast<std::int64_t>(n),
          {converted, 0.0239, converted, 0.0239},
          Accuracy{dense, 0.0238, dense, 0.0238},
          {},
          PairedAnswers{lost, gained},
          PairedAnswers{lost, gained},
          "tasks/" + name + ".jsonl"};
}

/// The result of `eval`. Each text has the same scores as all together.
inline Evaluation example_evaluation(std::vector<TextEvaluation::Domain> domains = {}) {
  TextEvaluation text;
  text.domains = std::move(domains);
  return {text, {}};
}

/// The members of the object `json` without its braces, to be appended to other members.
inline std::string members(const nlohmann::json& json) {
  const std::string object = json.dump();
  return object.substr(1, object.size() - 2);
}

/// Shell lines of a stand-in that send `measurement` for the evaluation that "$line" asks for with the number
/// "$id".
inline std::string keeping(const Measurement& measurement) {
  nlohmann::json found = to_json(measurement);
  found.erase("policy");  // the policy is the one in the request
  return R"sh(policy=$(echo "$line" | sed 's/.*"policy":\(.*\),"request".*/\1/')
echo '{"event":"measure",)sh" +
         members(found) + R"sh(,"policy":'"$policy"',"id":'$id'}'
)sh";
}

inline nlohmann::json example_show(const ExampleShape& shape = {}) {
  RunView view;
  view.recipe = example_recipe(shape);
  for (const int layer : view.recipe.layers) {
    LayerRecord record;
    record.layer = layer;
    record.loss_before = 0.081 + 0.013 * layer;
    record.loss_refit = 0.03 + 0.005 * layer;
    record.loss_after = 0.0213 + 0.0041 * layer;
    record.router_r2 = 0.5;
    record.held_out_losses = {record.loss_refit, record.loss_after};
    record.hash = "00";
    view.layers.push_back({layer, true, record, 4.5});
  }
  view.profile = example_profile(shape);
  view.tradeoff = example_tradeoff(shape);
  view.latency = example_latency(shape);
  view.policy = example_policy(shape);
  return to_json(view);
}

/// Makes a folder of the run as far as the window itself reads it: the recipe, the tables and the policy.
inline void write_run(const std::filesystem::path& folder, const ExampleShape& shape = {}) {
  std::filesystem::create_directories(folder);
  const RunFolder run(folder);
  write_json(run.recipe_file(), to_json(example_recipe(shape)));
  write_json(run.tradeoff_file(), to_json(example_tradeoff(shape)));
  write_json(run.policy_file(), to_json(example_policy(shape)));
}

inline std::shared_ptr<const ui::RunData> run_of(const nlohmann::json& show) {
  return std::make_shared<ui::RunData>(ui::read_run(QByteArray::fromStdString(show.dump()), "runs/example"));
}
inline std::shared_ptr<const ui::RunData> example_run(const ExampleShape& shape = {}) {
  return run_of(example_show(shape));
}

}  // namespace ladimo::testing
