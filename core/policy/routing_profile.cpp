#include "policy/routing_profile.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "base/correlation.h"
#include "base/format.h"
#include "base/json_members.h"
#include "base/setting.h"

namespace ladimo {

template <>
struct Members<LayerProfile> {
  static constexpr std::tuple all{Member{"layer", &LayerProfile::layer},
                                  Member{"routed", &LayerProfile::routed},
                                  Member{"shared_neurons", &LayerProfile::shared_neurons},
                                  Member{"expert_neurons", &LayerProfile::expert_neurons},
                                  Member{"output_norm", &LayerProfile::output_norm},
                                  Member{"all", &LayerProfile::all},
                                  Member{"top1", &LayerProfile::top1},
                                  Member{"middle_threshold", &LayerProfile::middle_threshold},
                                  Member{"expert_load", &LayerProfile::expert_load},
                                  Member{"mean_weight", &LayerProfile::mean_weight},
                                  Member{"coactivation", &LayerProfile::coactivation},
                                  Member{"entropy", &LayerProfile::entropy},
                                  Member{"dead", &LayerProfile::dead},
                                  Member{"always_on", &LayerProfile::always_on}};
};

namespace {

nlohmann::json to_json(const std::vector<RouterWarning>& warnings) {
  auto json = nlohmann::json::array();
  for (const RouterWarning& warning : warnings)
    json.push_back({{"message", warning.message},
                    {"hint", in_words(warning.hint, command_line())},
                    {"advice", warning.hint}});
  return json;
}

/// Four decimals: a load is counted on some ten thousand tokens, and there are many of them.
nlohmann::json rounded(const std::vector<double>& shares) {
  constexpr double places = 1e4;
  auto json = nlohmann::json::array();
  for (const double share : shares) json.push_back(std::round(share * places) / places);
  return json;
}

nlohmann::json to_json(const LayerProfile::Load& load) {
  nlohmann::json json{{"policy", to_string(load.policy)}, {"experts", rounded(load.experts)}};
  auto& files = json["by_file"] = nlohmann::json::array();
  for (const auto& file : load.by_file) files.push_back(rounded(file));
  return json;
}

nlohmann::json to_json(const LayerProfile& layer) {
  auto json = members_to_json(layer);
  json["stability"] = layer.stability;
  json["domain_load"] = layer.domain_load;
  auto& loads = json["loads"] = nlohmann::json::array();
  for (const auto& load : layer.loads) loads.push_back(to_json(load));
  json["warnings"] = to_json(layer.warnings);
  return json;
}

std::vector<double> row_of_numbers(const JsonFields& fields, std::string_view key,
                                   const nlohmann::json& row) {
  const bool numbers =
      row.is_array() && std::ranges::all_of(row, [](const auto& n) { return n.is_number(); });
  if (!numbers) fields.refuse(key, "is not a list of lists of numbers");
  return row.get<std::vector<double>>();
}

LayerProfile::Load load_from_json(const JsonFields& fields, int routed) {
  LayerProfile::Load load{parse_layer_policy(fields.text("policy")), fields.numbers("experts"), {}};
  const auto require_experts = [&](const char* key, const std::vector<double>& shares) {
    if (std::ssize(shares) != routed) fields.refuse(key, "does not have one number for every routed expert");
  };
  require_experts("experts", load.experts);
  for (const auto& file : fields.at("by_file")) {
    load.by_file.push_back(row_of_numbers(fields, "by_file", file));
    require_experts("by_file", load.by_file.back());
  }
  return load;
}

LayerProfile layer_from_json(const JsonFields& fields) {
  auto layer = members_from_json<LayerProfile>(fields);
  const auto require_size = [&](const char* key, const auto& list, int size, const char* complaint) {
    if (std::ssize(list) != size) fields.refuse(key, complaint);
  };
  constexpr const char *bins = "does not have the bins of this program",
                       *experts = "does not have one number for every routed expert (or pair of them)";
  require_size("all", layer.all, histogram_bins + 2, bins);
  require_size("top1", layer.top1, histogram_bins + 2, bins);
  require_size("expert_load", layer.expert_load, layer.routed, experts);
  require_size("mean_weight", layer.mean_weight, layer.routed, experts);
  require_size("coactivation", layer.coactivation, layer.routed * layer.routed, experts);
  // Runs of earlier versions lack the following fields.
  if (fields.has("stability")) layer.stability = fields.number("stability");
  if (fields.has("domain_load"))
    for (const auto& load : fields.at("domain_load"))
      layer.domain_load.push_back(row_of_numbers(fields, "domain_load", load));
  if (fields.has("loads"))
    for (const JsonFields& load : fields.objects("loads"))
      layer.loads.push_back(load_from_json(load, layer.routed));
  for (const auto& load : layer.loads) {
    const auto like =
        std::ranges::find(layer.loads, load.policy.kind, [](const auto& l) { return l.policy.kind; });
    if (load.by_file.size() != like->by_file.size())
      fields.refuse("loads", "does not have the same number of files under all policies of a kind");
  }
  if (fields.has("warnings"))
    for (const JsonFields& warning : fields.objects("warnings"))
      layer.warnings.push_back({warning.text("message"), advice_from(warning)});
  return layer;
}

InputProfile inputs_from_json(const JsonFields& fields) {
  InputProfile profile{fields.small("layer"), {}};
  for (const Product product : all_products) {
    const char* const key = to_string(product);
    auto& sizes = profile.sizes[static_cast<std::size_t>(product)];
    for (const double count : row_of_numbers(fields, key, fields.at(key)))
      sizes.push_back(static_cast<std::int64_t>(count));
    if (!sizes.empty() && std::ssize(sizes) != histogram_bins + 2)
      fields.refuse(key, "does not have the bins of this program");
  }
  return profile;
}

/// Returns a list such as "2, 7, 9 and 4 more".
std::string some_of(const std::vector<int>& experts) {
  constexpr std::size_t most = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(experts.size(), most); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(experts[i]);
  if (experts.size() > most) text += fmt::format(" and {} more", experts.size() - most);
  return text;
}

/// How much of its freedom to choose the router uses: the mean of p (1 - p) over the loads p, divided by 1/4,
/// the value where every expert runs for half of the tokens. It is 0 where every token gets the same experts.
double decided_by_token(const LayerProfile& profile) {
  double sum = 0;
  for (const double load : profile.expert_load) sum += load * (1 - load);
  return 4 * sum / std::max<double>(1, static_cast<double>(profile.expert_load.size()));
}

/// Whether two source files use experts so differently that their loads correlate negatively. It is no fault
/// when experts keep to one kind of text, but experts that trade places between two kinds are fragile. The
/// correlation means nothing where all loads are nearly equal.
bool trades_places(const std::vector<double>& a, const std::vector<double>& b) {
  constexpr double much = 0.2;  // mean difference of the loads, each relative to its mean
  const auto n = static_cast<double>(a.size());
  const double shift =
      (std::accumulate(a.begin(), a.end(), 0.0) - std::accumulate(b.begin(), b.end(), 0.0)) / n;
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference += std::abs(a[i] - b[i] - shift);
  return correlation(a, b).value_or(1) < 0 && difference > much * n;
}

/// Where a policy of one kind is between others: it rises as fewer experts run.
double severity(const LayerPolicy& policy) {
  return policy.kind == LayerPolicy::Kind::threshold ? policy.threshold : -policy.k;
}

void blend(std::vector<double>& load, const std::vector<double>& other, double share_of_other) {
  for (std::size_t i = 0; i < load.size(); ++i) load[i] += (other[i] - load[i]) * share_of_other;
}

/// No expert runs. The prediction puts that at twice the last threshold (Predictor::evaluate).
LayerProfile::Load idle_after(LayerProfile::Load last) {
  last.policy.threshold *= 2;
  std::ranges::fill(last.experts, 0.0);
  for (auto& file : last.by_file) std::ranges::fill(file, 0.0);
  return last;
}

}  // namespace

std::optional<LayerProfile::Load> load_under(const LayerProfile& profile, const LayerPolicy& policy) {
  std::vector<LayerProfile::Load> counted;
  std::ranges::copy_if(profile.loads, std::back_inserter(counted),
                       [&](const auto& load) { return load.policy.kind == policy.kind; });
  if (counted.empty()) return {};
  if (policy.kind == LayerPolicy::Kind::threshold && counted.back().policy.threshold > 0)
    counted.push_back(idle_after(counted.back()));
  const double wanted = severity(policy);
  const auto after =
      std::ranges::find_if(counted, [&](const auto& load) { return severity(load.policy) >= wanted; });
  LayerProfile::Load load = after == counted.begin() ? counted.front() : *std::prev(after);
  if (after != counted.begin() && after != counted.end()) {
    const double from = severity(load.policy), to = severity(after->policy);
    const double share = (wanted - from) / (to - from);
    blend(load.experts, after->experts, share);
    for (std::size_t file = 0; file < load.by_file.size(); ++file)
      blend(load.by_file[file], after->by_file[file], share);
  }
  load.policy = policy;
  return load;
}

std::vector<RouterWarning> router_warnings(const LayerProfile& profile) {
  constexpr double many = 0.25, least_decided = 0.3;
  std::vector<RouterWarning> warnings;
  const auto count = [&](const std::vector<int>& experts) { return static_cast<double>(experts.size()); };
  if (count(profile.dead) > many * profile.routed)
    warnings.push_back(
        {fmt::format("Layer {}: {} of {} routed experts never run ({}).", profile.layer, profile.dead.size(),
                     profile.routed, some_of(profile.dead)),
         "Use fewer experts ({experts}), or calibrate on text closer to what the model will see."});
  if (count(profile.always_on) > many * profile.routed)
    warnings.push_back(
        {fmt::format("Layer {}: {} of {} routed experts run for every token ({}).", profile.layer,
                     profile.always_on.size(), profile.routed, some_of(profile.always_on)),
         "Share more experts ({shared}): those that always run need no router."});
  if (const double decided = decided_by_token(profile); decided < least_decided && warnings.empty())
    warnings.push_back(
        {fmt::format(
             "Layer {}: nearly the same experts run for every token: the router decides {:.0f} % of what "
             "it could.",
             profile.layer, 100 * decided),
         "Share more experts ({shared}), or calibrate on more text ({tokens})."});
  const auto& loads = profile.domain_load;
  bool unstable = false;
  for (std::size_t a = 0; a < loads.size(); ++a)
    for (std::size_t b = a + 1; b < loads.size(); ++b)
      unstable = unstable || trades_places(loads[a], loads[b]);
  if (unstable)
    warnings.push_back(
        {fmt::format("Layer {}: other experts run on one text than on another (loads correlate "
                     "by {}).",
                     profile.layer, format_number(profile.stability)),
         "Calibrate on all kinds of text that the model will see, in equal parts."});
  return warnings;
}

nlohmann::json to_json(const RoutingProfile& profile) {
  auto layers = nlohmann::json::array();
  for (const LayerProfile& layer : profile.layers) layers.push_back(to_json(layer));
  auto inputs = nlohmann::json::array();
  for (const InputProfile& layer : profile.inputs) {
    auto& json = inputs.emplace_back(nlohmann::json{{"layer", layer.layer}});
    for (const Product product : all_products) json[to_string(product)] = layer.of(product);
  }
  return {{"tokens", profile.tokens},
          {"edges_id", histogram_edges_id},
          {"layers", std::move(layers)},
          {"inputs", std::move(inputs)}};
}

RoutingProfile routing_profile_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "routing profile");
  RoutingProfile profile;
  profile.tokens = fields.integer("tokens");
  if (fields.text("edges_id") != histogram_edges_id)
    fields.refuse("edges_id", "has other bins than this program");
  for (const JsonFields& layer : fields.objects("layers")) profile.layers.push_back(layer_from_json(layer));
  if (fields.has("inputs"))
    for (const JsonFields& layer : fields.objects("inputs"))
      profile.inputs.push_back(inputs_from_json(layer));
  return profile;
}

}  // namespace ladimo
