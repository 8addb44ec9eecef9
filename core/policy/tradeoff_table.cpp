#include "policy/tradeoff_table.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<JointPoint> {
  static constexpr std::tuple all{Member{"sum_kl", &JointPoint::sum_kl},
                                  Member{"kl", &JointPoint::kl},
                                  Member{"kl_se", &JointPoint::kl_se},
                                  Member{"nll_increase", &JointPoint::nll_increase},
                                  Member{"sum_activated", &JointPoint::sum_activated},
                                  Member{"activated", &JointPoint::activated}};
};

template <>
struct Members<ProductSizes> {
  static constexpr std::tuple all{Member{"hidden_size", &ProductSizes::hidden_size},
                                  Member{"qkv", &ProductSizes::qkv},
                                  Member{"o", &ProductSizes::o},
                                  Member{"neurons", &ProductSizes::neurons},
                                  Member{"shared_neurons", &ProductSizes::shared_neurons},
                                  Member{"expert_neurons", &ProductSizes::expert_neurons}};
};

template <>
struct Members<CutRung> {
  static constexpr std::tuple all{Member{"threshold", &CutRung::threshold}, Member{"share", &CutRung::share},
                                  Member{"kl", &CutRung::kl}};
};

template <>
struct Members<TradeoffTable> {
  static constexpr std::tuple all{Member{"fingerprint", &TradeoffTable::fingerprint},
                                  Member{"sensitivity", &TradeoffTable::sensitivity},
                                  Member{"other_activated", &TradeoffTable::other_activated},
                                  Member{"dense_nll", &TradeoffTable::dense_nll},
                                  Member{"tokens", &TradeoffTable::tokens},
                                  Member{"routed", &TradeoffTable::routed},
                                  Member{"joint", &TradeoffTable::joint}};
};

namespace {

nlohmann::json to_json(const Candidate& candidate) {
  auto json = to_json(candidate.policy, 0);
  json.erase("layer");  // stored once, beside the list
  json["kl"] = candidate.kl;
  json["activated"] = candidate.activated;
  return json;
}

Candidate candidate_from_json(const nlohmann::json& json, const JsonFields& fields) {
  Candidate candidate{layer_policy_from_json(json), fields.number("kl"), fields.number("activated")};
  if (candidate.kl < 0) fields.refuse("kl", "is negative");
  if (candidate.activated < 0) fields.refuse("activated", "is negative");
  return candidate;
}

/// {"qkv": [{threshold, share, kl} ...], ...}
nlohmann::json cuts_to_json(const LayerTable& layer) {
  nlohmann::json json;
  for (const Product product : all_products) json[to_string(product)] = json_of(layer.rungs(product));
  return json;
}

std::vector<CutRung> rungs_from_json(const JsonFields& fields, const char* key) {
  std::vector<CutRung> rungs;
  for (const JsonFields& rung : fields.objects(key)) {
    rungs.push_back(members_from_json<CutRung>(rung));
    const double before = rungs.size() > 1 ? rungs[rungs.size() - 2].threshold : -1;
    if (rungs.back().threshold <= before) rung.refuse("threshold", "does not rise from 0");
    if (rungs.back().kl < 0) rung.refuse("kl", "is negative");
  }
  if (rungs.empty() || rungs.front().threshold != 0) fields.refuse(key, "does not begin with all inputs");
  return rungs;
}

LayerTable layer_from_json(const JsonFields& fields, bool with_cuts) {
  LayerTable layer{fields.small("layer"), {}};
  if (with_cuts)
    for (const Product product : all_products)
      layer.cuts[static_cast<std::size_t>(product)] =
          rungs_from_json(fields.object("cuts"), to_string(product));
  const auto items = fields.objects("candidates");
  for (std::size_t i = 0; i < items.size(); ++i)
    layer.candidates.push_back(candidate_from_json(fields.at("candidates")[i], items[i]));
  if (layer.candidates.empty() || layer.candidates.front().policy != LayerPolicy::dense())
    fields.refuse("candidates", "does not begin with dense");
  return layer;
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
    if (table.sizes) layers.back()["cuts"] = cuts_to_json(layer);
  }
  auto json = members_to_json(table);
  json["rank_correlation"] =
      table.rank_correlation >= -1 ? nlohmann::json(table.rank_correlation) : nlohmann::json();
  json["layers"] = std::move(layers);
  json["joint_top_k"] = json_of(table.joint_top_k);
  json["joint_cuts"] = json_of(table.joint_cuts);
  json["expert_price"] = table.expert_price;
  json["sizes"] = table.sizes ? members_to_json(*table.sizes) : nlohmann::json();
  return json;
}

TradeoffTable judged_by_top_k(TradeoffTable table) {
  if (!table.joint_top_k.empty()) table.joint = table.joint_top_k;
  return table;
}

TradeoffTable tradeoff_table_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "trade-off table");
  auto table = members_from_json<TradeoffTable>(fields);
  if (fields.has("rank_correlation")) table.rank_correlation = fields.number("rank_correlation");
  if (fields.has("sizes")) table.sizes = members_from_json<ProductSizes>(fields.object("sizes"));
  for (const JsonFields& layer : fields.objects("layers")) {
    table.layers.push_back(layer_from_json(layer, table.sizes.has_value()));
    if (table.layers.back().layer != static_cast<int>(table.layers.size()) - 1)
      layer.refuse("layer", "does not count up from 0");
  }
  // Runs of earlier versions lack what follows.
  if (fields.has("expert_price")) table.expert_price = fields.number("expert_price");
  if (table.expert_price <= 0) fields.refuse("expert_price", "is not above 0");
  for (const auto& [key, points] :
       {std::pair{"joint_top_k", &table.joint_top_k}, std::pair{"joint_cuts", &table.joint_cuts}})
    if (fields.has(key))
      for (const JsonFields& point : fields.objects(key))
        points->push_back(members_from_json<JointPoint>(point));
  return table;
}

}  // namespace ladimo
