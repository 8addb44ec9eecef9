#include "policy/routing_profile.h"

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const LayerProfile& layer) {
  return {{"layer", layer.layer},
          {"routed", layer.routed},
          {"shared_neurons", layer.shared_neurons},
          {"expert_neurons", layer.expert_neurons},
          {"output_norm", layer.output_norm},
          {"all", layer.all},
          {"top1", layer.top1},
          {"middle_threshold", layer.middle_threshold},
          {"expert_load", layer.expert_load},
          {"mean_weight", layer.mean_weight},
          {"coactivation", layer.coactivation},
          {"entropy", layer.entropy},
          {"dead", layer.dead},
          {"always_on", layer.always_on}};
}

HistogramCounts counts_from_json(const JsonFields& fields, std::string_view key) {
  HistogramCounts counts = fields.integers(key);
  if (counts.size() != histogram_bins + 2) fields.refuse(key, "does not have the bins of this program");
  return counts;
}

std::vector<double> numbers_of(const JsonFields& fields, std::string_view key, int count) {
  auto numbers = fields.numbers(key);
  if (static_cast<int>(numbers.size()) != count)
    fields.refuse(key, "does not have one number for every routed expert (or pair of them)");
  return numbers;
}

LayerProfile layer_from_json(const JsonFields& fields) {
  LayerProfile layer;
  layer.layer = fields.small("layer");
  layer.routed = fields.small("routed");
  layer.shared_neurons = fields.small("shared_neurons");
  layer.expert_neurons = fields.small("expert_neurons");
  layer.output_norm = fields.number("output_norm");
  layer.all = counts_from_json(fields, "all");
  layer.top1 = counts_from_json(fields, "top1");
  layer.middle_threshold = fields.number("middle_threshold");
  layer.expert_load = numbers_of(fields, "expert_load", layer.routed);
  layer.mean_weight = numbers_of(fields, "mean_weight", layer.routed);
  layer.coactivation = numbers_of(fields, "coactivation", layer.routed * layer.routed);
  layer.entropy = fields.number("entropy");
  layer.dead = fields.smalls("dead");
  layer.always_on = fields.smalls("always_on");
  return layer;
}

}  // namespace

nlohmann::json to_json(const RoutingProfile& profile) {
  auto layers = nlohmann::json::array();
  for (const LayerProfile& layer : profile.layers) layers.push_back(to_json(layer));
  return {{"tokens", profile.tokens}, {"edges_id", histogram_edges_id}, {"layers", std::move(layers)}};
}

RoutingProfile routing_profile_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "routing profile");
  RoutingProfile profile;
  profile.tokens = fields.integer("tokens");
  if (fields.text("edges_id") != histogram_edges_id)
    fields.refuse("edges_id", "names other bins than this program has");
  for (const JsonFields& layer : fields.objects("layers")) profile.layers.push_back(layer_from_json(layer));
  return profile;
}

}  // namespace ladimo
