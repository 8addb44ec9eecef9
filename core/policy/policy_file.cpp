#include "policy/policy_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.h"
#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<PolicyNumbers> {
  static constexpr std::tuple all{Member{"kl", &PolicyNumbers::kl},
                                  Member{"perplexity", &PolicyNumbers::perplexity},
                                  Member{"decode_ms", &PolicyNumbers::decode_ms},
                                  Member{"prefill_ms", &PolicyNumbers::prefill_ms},
                                  Member{"activated_parameters", &PolicyNumbers::activated_parameters},
                                  Member{"activated_fraction", &PolicyNumbers::activated_fraction},
                                  Member{"ffn_activated", &PolicyNumbers::ffn_activated}};
};

template <>
struct Members<Decoding> {
  static constexpr std::tuple all{Member{"batch", &Decoding::batch}, Member{"context", &Decoding::context}};
};

namespace {

constexpr std::string_view experts_alone = "ladimo.policy/1", all_grains = "ladimo.policy/2";

std::vector<LayerPolicy> layers_from_json(const JsonFields& fields) {
  std::vector<LayerPolicy> layers;
  const auto items = fields.objects("layers");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].integer("layer") != static_cast<std::int64_t>(i))
      items[i].refuse("layer", "does not count up from 0");
    layers.push_back(layer_policy_from_json(fields.at("layers")[i]));
  }
  return layers;
}

Policy parse(const nlohmann::json& json, const std::filesystem::path& path) {
  const JsonFields fields(json, "policy file", path);
  if (const auto schema = fields.text("schema"); schema != experts_alone && schema != all_grains)
    fields.refuse("schema", fmt::format("is neither {} nor {}", experts_alone, all_grains));
  Policy policy;
  policy.fingerprint = fields.object("model").text("fingerprint");
  policy.cost = parse_cost(fields.text("cost"));
  policy.tradeoff = fields.number("tradeoff");
  policy.layers = layers_from_json(fields);
  if (fields.object("model").integer("layers") != static_cast<std::int64_t>(policy.layers.size()))
    fields.refuse("layers", "has another number of layers than model.layers says");
  policy.predicted = members_from_json<PolicyNumbers>(fields.object("predicted"));
  if (fields.has("decoding")) policy.decoding = members_from_json<Decoding>(fields.object("decoding"));
  if (fields.has("pinned")) policy.pinned = fields.smalls("pinned");
  for (std::size_t i = 0; i < policy.pinned.size(); ++i)
    if (policy.pinned[i] < (i > 0 ? policy.pinned[i - 1] + 1 : 0) ||
        policy.pinned[i] >= static_cast<int>(policy.layers.size()))
      fields.refuse("pinned", "is not a rising list of layers");
  if (fields.has("measured")) policy.measured = members_from_json<PolicyNumbers>(fields.object("measured"));
  return policy;
}

}  // namespace

const char* to_string(Cost cost) { return cost == Cost::activated ? "activated" : "decode_ms"; }

Cost parse_cost(std::string_view text) {
  if (text == "activated") return Cost::activated;
  if (text == "decode_ms") return Cost::decode_ms;
  throw Refusal(fmt::format("\"{}\" is not a cost.", text),
                "A cost is activated (parameters per token) or decode_ms (measured decode time).");
}

nlohmann::json to_json(const PolicyNumbers& numbers) { return members_to_json(numbers); }

PolicyNumbers policy_numbers_from_json(const nlohmann::json& json) {
  return members_from_json<PolicyNumbers>(JsonFields(json, "policy's numbers"));
}

nlohmann::json to_json(const Policy& policy) {
  auto layers = nlohmann::json::array();
  for (std::size_t i = 0; i < policy.layers.size(); ++i)
    layers.push_back(to_json(policy.layers[i], static_cast<int>(i)));
  const bool cuts =
      std::ranges::any_of(policy.layers, [](const LayerPolicy& layer) { return layer.cuts_inputs(); });
  nlohmann::json json = {{"schema", cuts ? all_grains : experts_alone},
                         {"model", {{"layers", policy.layers.size()}, {"fingerprint", policy.fingerprint}}},
                         {"cost", to_string(policy.cost)},
                         {"tradeoff", policy.tradeoff},
                         {"layers", std::move(layers)},
                         {"predicted", to_json(policy.predicted)},
                         {"measured", policy.measured ? to_json(*policy.measured) : nlohmann::json()}};
  if (!policy.pinned.empty()) json["pinned"] = policy.pinned;
  if (policy.decoding) json["decoding"] = members_to_json(*policy.decoding);
  return json;
}

Policy policy_from_json(const nlohmann::json& json, const std::filesystem::path& path) {
  return naming_file(path, [&] { return parse(json, path); });
}

void require_model(const Policy& policy, const std::string& fingerprint, std::size_t layers,
                   const std::filesystem::path& path) {
  if (policy.layers.size() != layers)
    throw Refusal(
        fmt::format("The policy is for a model of {} layers; this one has {}.", policy.layers.size(), layers),
        "Make one for this run: {choose_policy}.", path);
  if (policy.fingerprint != fingerprint)
    throw Refusal("The policy was made for another checkpoint.", "Make one for this run: {choose_policy}.",
                  path);
}

Policy read_policy(const std::filesystem::path& path, const std::string& fingerprint, std::size_t layers) {
  Policy policy = policy_from_json(read_json(path), path);
  require_model(policy, fingerprint, layers, path);
  return policy;
}

}  // namespace ladimo
