#include "policy/routing_profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "base/correlation.h"
#include "base/format.h"
#include "base/json_fields.h"
#include "base/setting.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const std::vector<RouterWarning>& warnings) {
  auto json = nlohmann::json::array();
  for (const RouterWarning& warning : warnings)
    json.push_back({{"message", warning.message},
                    {"hint", in_words(warning.hint, command_line())},
                    {"advice", warning.hint}});
  return json;
}

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
          {"always_on", layer.always_on},
          {"stability", layer.stability},
          {"domain_load", layer.domain_load},
          {"warnings", to_json(layer.warnings)}};
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

std::vector<double> row_of_numbers(const JsonFields& fields, std::string_view key,
                                   const nlohmann::json& row) {
  const bool numbers =
      row.is_array() && std::ranges::all_of(row, [](const auto& n) { return n.is_number(); });
  if (!numbers) fields.refuse(key, "is not a list of lists of numbers");
  return row.get<std::vector<double>>();
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
  // Runs of earlier versions lack the following fields.
  if (fields.has("stability")) layer.stability = fields.number("stability");
  if (fields.has("domain_load"))
    for (const auto& load : fields.at("domain_load"))
      layer.domain_load.push_back(row_of_numbers(fields, "domain_load", load));
  if (fields.has("warnings"))
    for (const JsonFields& warning : fields.objects("warnings"))
      layer.warnings.push_back(
          {warning.text("message"), warning.text(warning.has("advice") ? "advice" : "hint")});
  return layer;
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

}  // namespace

std::vector<RouterWarning> router_warnings(const LayerProfile& profile) {
  constexpr double many = 0.25, least_decided = 0.3;
  std::vector<RouterWarning> warnings;
  const auto count = [&](const std::vector<int>& experts) { return static_cast<double>(experts.size()); };
  if (count(profile.dead) > many * profile.routed)
    warnings.push_back(
        {fmt::format("Layer {}: {} of {} routed experts never run ({}).", profile.layer, profile.dead.size(),
                     profile.routed, some_of(profile.dead)),
         "Use fewer experts ({experts}), or calibrate on text nearer to what the model will see."});
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
