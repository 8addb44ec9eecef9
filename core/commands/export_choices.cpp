#include "commands/export_choices.h"

#include <algorithm>
#include <functional>

#include <nlohmann/json.hpp>

#include "policy/class_policies.h"
#include "transfer/format.h"

namespace ladimo {
namespace {

bool is_dense(const LayerPolicy& layer) { return layer.kind == LayerPolicy::Kind::dense; }

/// Elements of everything outside the FFNs, and of dense FFNs.
std::uint64_t elements_of_dense_parts(const Checkpoint& original, const ModelPolicy& policy) {
  std::uint64_t sum = 0;
  for (const ExpectedTensor& tensor : expected_tensors(original.config()))
    if (!is_ffn(tensor.role) || is_dense(policy[static_cast<std::size_t>(tensor.layer)]))
      sum += original.store().at(tensor.name).elements();
  return sum;
}

/// Bytes of the weights of a model of a MoE class under a policy. Blocks of Q8_0 have 34 bytes for 32
/// weights.
std::uint64_t bytes_of_class(const OpenedModel& opened, const MoeClass& target, const ModelPolicy& policy,
                             std::optional<GgufPrecision> gguf) {
  const KRange ks = ks_of(policy);
  double experts = 0;
  for (std::size_t l = 0; l < policy.size(); ++l) {
    if (is_dense(policy[l])) continue;
    const MoeShape shape = shape_in(target, opened.run->layers().shape(static_cast<int>(l)));
    experts += shape.activated_parameters(static_cast<double>(shape.routed));
  }
  const MoeShape shape = shape_in(target, opened.run->layers().shape(opened.run->recipe().layers.front()));
  const auto routed = static_cast<double>(std::ranges::count_if(policy, std::not_fn(is_dense)));
  experts += routed * static_cast<double>((ks.most - ks.least) * shape.hidden_size) *
             (3.0 * static_cast<double>(shape.expert_neurons) + 1);
  const auto elements = static_cast<double>(elements_of_dense_parts(opened.checkpoint, policy)) + experts;
  const bool wide = gguf ? *gguf == GgufPrecision::f32 : opened.checkpoint.converted_dtype() == DType::f32;
  const double each = wide ? 4 : gguf && *gguf == GgufPrecision::q8_0 ? 34.0 / 32 : 2;
  return static_cast<std::uint64_t>(elements * each);
}

FormatChoice choice_of(const Format& format, const OpenedModel& opened, const Policy& wanted,
                       std::optional<GgufPrecision> gguf) {
  const RunFolder& run = *opened.run;
  FormatChoice choice{format.name(), format.title(), gguf.has_value(), {}, {}, {}, {}};
  choice.impossible = format.objection(opened.checkpoint);
  if (choice.impossible) return choice;
  choice.objection = format.objection(run, wanted.layers);
  if (format.moe_class() == nullptr) {
    choice.policy = wanted;
    choice.bytes = format.bytes({opened.checkpoint, run, wanted});
    return choice;
  }
  try {
    choice.policy = nearest_policy(format, run, wanted);
  } catch (const Refusal& refusal) {
    choice.impossible = refusal.problem();
    return choice;
  }
  choice.bytes = bytes_of_class(opened, *format.moe_class(), choice.policy->layers, gguf);
  return choice;
}

nlohmann::json to_json(const FormatChoice& choice) {
  const auto& problem = choice.impossible ? choice.impossible : choice.objection;
  nlohmann::json json{{"format", choice.name},   {"title", choice.title},          {"gguf", choice.gguf},
                      {"expressible", !problem}, {"possible", !choice.impossible}, {"reason", nullptr},
                      {"hint", nullptr},         {"dense_layers", nullptr},        {"k", nullptr},
                      {"kl", nullptr},           {"activated_fraction", nullptr},  {"bytes", nullptr}};
  if (problem) {
    json["reason"] = problem->message;
    json["hint"] = problem->hint;
  }
  if (!choice.policy) return json;
  const auto& layers = choice.policy->layers;
  json["dense_layers"] = std::ranges::count_if(layers, is_dense);
  const auto routed = std::ranges::find(layers, LayerPolicy::Kind::top_k, &LayerPolicy::kind);
  if (choice.gguf || choice.name != "native")
    if (routed != layers.end()) json["k"] = routed->k;
  json["kl"] = choice.policy->predicted.kl;
  json["activated_fraction"] = choice.policy->predicted.activated_fraction;
  json["bytes"] = *choice.bytes;
  return json;
}

}  // namespace

std::vector<FormatChoice> export_choices(const OpenedModel& opened, const Policy& wanted,
                                         GgufPrecision precision) {
  std::vector<FormatChoice> choices;
  for (const auto& format : all_formats(precision)) {
    const bool gguf = format->in_gguf();
    choices.push_back(choice_of(*format, opened, wanted, gguf ? std::optional(precision) : std::nullopt));
  }
  return choices;
}

nlohmann::json to_json(const std::vector<FormatChoice>& choices) {
  auto formats = nlohmann::json::array();
  for (const FormatChoice& choice : choices) formats.push_back(to_json(choice));
  return {{"formats", std::move(formats)}};
}

}  // namespace ladimo
