#include "run/run_view.h"

#include "base/files.h"
#include "base/json_members.h"
#include "text/corpus.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> own_text(const RunFolder& run, const Recipe& recipe) {
  constexpr std::size_t shown_bytes = 16 << 10;
  if (!recipe.self_text() || !fs::exists(run.self_calibration())) return {};
  try {
    return read_beginning(run.self_calibration(), shown_bytes).documents;
  } catch (const Refusal&) {
    return {};
  }
}

LayerView view_layer(const RunFolder& run, int layer, const RunTiming& timing) {
  LayerView view{layer, run.layers().done(layer), {}, {}};
  if (view.done) view.record = run.layers().record(layer);
  const auto seconds = timing.layers.find(layer);
  if (seconds != timing.layers.end()) view.seconds = seconds->second;
  return view;
}

std::map<std::string, Policy> named_policies(const RunFolder& run) {
  std::map<std::string, Policy> policies;
  for (const std::string& name : run.policy_names()) {
    const auto file = run.named_policy_file(name);
    policies.emplace(name, policy_from_json(read_json(file), file));
  }
  return policies;
}

nlohmann::json to_json(const LayerView& view) {
  auto json = view.record ? to_json(*view.record) : nlohmann::json{{"layer", view.layer}};
  json["done"] = view.done;
  json["seconds"] = json_of(view.seconds);
  return json;
}

LayerView layer_from_json(const JsonFields& fields) {
  LayerView view{fields.small("layer"), fields.flag("done"), {}, fields.optional_number("seconds")};
  if (view.done) view.record = layer_record_from_json(fields.value());
  return view;
}

template <class T>
nlohmann::json json_or_null(const std::optional<T>& value) {
  return value ? to_json(*value) : nlohmann::json();
}

/// Reads the value under `key` with `read`, unless it is missing or null. A Refusal names `file`.
template <class Read>
auto read_if_there(const JsonFields& fields, const char* key, const char* file, Read read)
    -> std::optional<decltype(read(fields.value()))> {
  if (!fields.has(key)) return {};
  return naming_file(file, [&] { return read(fields.at(key)); });
}

Policy policy_in(const nlohmann::json& json) { return policy_from_json(json); }

}  // namespace

RunView view_run(const RunFolder& run) {
  RunView view;
  view.recipe = run.recipe();
  view.timing = read_timing(run);
  view.own_text = own_text(run, view.recipe);
  for (const int layer : view.recipe.layers) view.layers.push_back(view_layer(run, layer, view.timing));
  view.finish = run.layers().finish();
  if (fs::exists(run.profile_file())) view.profile = run.profile();
  if (fs::exists(run.tradeoff_file())) view.tradeoff = run.tradeoff();
  view.latency = run.latency();
  if (fs::exists(run.policy_file()))
    view.policy = policy_from_json(read_json(run.policy_file()), run.policy_file());
  view.policies = named_policies(run);
  view.measurements = read_measurements(run);
  return view;
}

nlohmann::json to_json(const RunView& view) {
  auto layers = nlohmann::json::array(), measurements = nlohmann::json::array();
  for (const LayerView& layer : view.layers) layers.push_back(to_json(layer));
  for (const Measurement& measurement : view.measurements) measurements.push_back(to_json(measurement));
  auto policies = nlohmann::json::object();
  for (const auto& [name, policy] : view.policies) policies[name] = to_json(policy);
  return {{"recipe", to_json(view.recipe)},
          {"own_text", view.own_text.empty() ? nlohmann::json() : nlohmann::json(view.own_text)},
          {"layers", std::move(layers)},
          {"finish", json_or_null(view.finish)},
          {"profile", json_or_null(view.profile)},
          {"tradeoff", json_or_null(view.tradeoff)},
          {"latency", json_or_null(view.latency)},
          {"policy", json_or_null(view.policy)},
          {"policies", std::move(policies)},
          {"measurements", std::move(measurements)},
          {"timing", to_json(view.timing)}};
}

RunView run_view_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "description of the run");
  RunView view;
  view.recipe = recipe_from_json(fields.at("recipe"), "recipe.json");
  if (fields.has("own_text")) view.own_text = fields.texts("own_text");
  for (const JsonFields& layer : fields.objects("layers")) view.layers.push_back(layer_from_json(layer));
  view.finish = read_if_there(fields, "finish", "finish.json",
                              [](const nlohmann::json& finish) { return finish_record_from_json(finish); });
  view.profile = read_if_there(fields, "profile", "profile.json", routing_profile_from_json);
  view.tradeoff = read_if_there(fields, "tradeoff", "tradeoff.json", tradeoff_table_from_json);
  view.latency = read_if_there(fields, "latency", "latency.json", latency_table_from_json);
  view.policy = read_if_there(fields, "policy", "policy.json", policy_in);
  for (const auto& [name, content] : fields.at("policies").items()) {
    const fs::path file = fs::path("policies") / (name + ".json");
    view.policies.emplace(name, policy_from_json(content, file));
  }
  naming_file("measurements.json", [&] {
    for (const JsonFields& measurement : fields.objects("measurements"))
      view.measurements.push_back(measurement_from_json(measurement.value()));
  });
  view.timing = timing_from_json(fields.at("timing"));
  return view;
}

}  // namespace ladimo
