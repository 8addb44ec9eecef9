#include "policy/tradeoff_table.h"

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const Candidate& candidate) {
  auto json = to_json(candidate.policy, 0);
  json.erase("layer");  // stored once, beside the list
  json["kl"] = candidate.kl;
  json["activated"] = candidate.activated;
  return json;
}

nlohmann::json to_json(const JointPoint& point) {
  return {{"sum_kl", point.sum_kl},
          {"kl", point.kl},
          {"nll_increase", point.nll_increase},
          {"sum_activated", point.sum_activated},
          {"activated", point.activated}};
}

Candidate candidate_from_json(const nlohmann::json& json, const JsonFields& fields) {
  Candidate candidate{layer_policy_from_json(json), fields.number("kl"), fields.number("activated")};
  if (candidate.kl < 0) fields.refuse("kl", "is negative");
  if (candidate.activated < 0) fields.refuse("activated", "is negative");
  return candidate;
}

LayerTable layer_from_json(const JsonFields& fields) {
  LayerTable layer{fields.small("layer"), {}};
  const auto items = fields.objects("candidates");
  for (std::size_t i = 0; i < items.size(); ++i)
    layer.candidates.push_back(candidate_from_json(fields.at("candidates")[i], items[i]));
  if (layer.candidates.empty() || layer.candidates.front().policy != LayerPolicy::dense())
    fields.refuse("candidates", "does not begin with dense");
  return layer;
}

JointPoint joint_from_json(const JsonFields& fields) {
  return {fields.number("sum_kl"), fields.number("kl"), fields.number("nll_increase"),
          fields.number("sum_activated"), fields.number("activated")};
}

std::int64_t every(std::int64_t stride, std::int64_t windows, std::int64_t files) {
  return std::min(windows, std::max({(windows + stride - 1) / stride, std::int64_t{4}, files}));
}

}  // namespace

std::int64_t activity_windows(std::int64_t windows, std::int64_t files) { return every(2, windows, files); }
std::int64_t sensitivity_windows(std::int64_t windows, std::int64_t files) {
  return every(8, windows, files);
}

nlohmann::json to_json(const TradeoffTable& table) {
  auto layers = nlohmann::json::array();
  for (const LayerTable& layer : table.layers) {
    auto candidates = nlohmann::json::array();
    for (const Candidate& candidate : layer.candidates) candidates.push_back(to_json(candidate));
    layers.push_back({{"layer", layer.layer}, {"candidates", std::move(candidates)}});
  }
  const auto points = [](const std::vector<JointPoint>& joint) {
    auto json = nlohmann::json::array();
    for (const JointPoint& point : joint) json.push_back(to_json(point));
    return json;
  };
  return {{"fingerprint", table.fingerprint},
          {"sensitivity", table.sensitivity},
          {"rank_correlation",
           table.rank_correlation >= -1 ? nlohmann::json(table.rank_correlation) : nlohmann::json()},
          {"other_activated", table.other_activated},
          {"dense_nll", table.dense_nll},
          {"tokens", table.tokens},
          {"routed", table.routed},
          {"layers", std::move(layers)},
          {"joint", points(table.joint)},
          {"joint_top_k", points(table.joint_top_k)}};
}

TradeoffTable judged_by_top_k(TradeoffTable table) {
  if (!table.joint_top_k.empty()) table.joint = table.joint_top_k;
  return table;
}

TradeoffTable tradeoff_table_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "trade-off table");
  TradeoffTable table;
  table.fingerprint = fields.text("fingerprint");
  table.sensitivity = fields.text("sensitivity");
  if (fields.has("rank_correlation")) table.rank_correlation = fields.number("rank_correlation");
  table.other_activated = fields.number("other_activated");
  table.dense_nll = fields.number("dense_nll");
  table.tokens = fields.integer("tokens");
  table.routed = fields.small("routed");
  for (const JsonFields& layer : fields.objects("layers")) {
    table.layers.push_back(layer_from_json(layer));
    if (table.layers.back().layer != static_cast<int>(table.layers.size()) - 1)
      layer.refuse("layer", "does not count up from 0");
  }
  for (const JsonFields& point : fields.objects("joint")) table.joint.push_back(joint_from_json(point));
  if (fields.has("joint_top_k"))
    for (const JsonFields& point : fields.objects("joint_top_k"))
      table.joint_top_k.push_back(joint_from_json(point));
  return table;
}

}  // namespace ladimo
