#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/json_fields.h"
#include "checkpoint/checkpoint.h"
#include "commands.h"
#include "model/moe_layer.h"
#include "run/plan.h"

namespace ladimo::cli {
namespace {

/// Origin and what each layer holds; converted layers whose tensors do not fit become problems.
nlohmann::json describe_native(const Checkpoint& checkpoint, std::vector<Problem>& problems) {
  const NativeSection& section = *checkpoint.native();
  auto dense = nlohmann::json::array(), converted = nlohmann::json::array();
  for (std::size_t l = 0; l < section.layers.size(); ++l) {
    if (section.layers[l].dense) dense.push_back(l);
    if (!section.layers[l].converted) continue;
    converted.push_back(l);
    try {
      load_moe_weights(checkpoint, static_cast<std::int64_t>(l), at::kCPU, at::kFloat);
    } catch (const Refusal& refusal) {
      problems.push_back(refusal.problem());
    }
  }
  return {{"origin", section.origin.string()},
          {"fingerprint", section.fingerprint},
          {"routed_experts", section.routed_experts},
          {"dense_layers", dense},
          {"converted_layers", converted}};
}

nlohmann::json describe(const std::filesystem::path& folder, const Context& context) {
  ModelConfig config;
  auto problems = find_problems(folder, config);
  nlohmann::json fingerprint, native;
  if (problems.empty()) {
    const auto checkpoint = Checkpoint::open(folder);
    problems = find_bad_weights(checkpoint, context);
    if (checkpoint.native()) native = describe_native(checkpoint, problems);
    fingerprint = checkpoint.fingerprint();
  }
  return {{"architecture", config.architecture},
          {"layers", config.layers},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"tied_head", config.tied_head},
          {"vocab_size", config.vocab_size},
          {"max_positions", config.max_positions},
          {"parameters", config.parameters()},
          {"ffn_parameters", config.ffn_parameters_per_layer() * config.layers},
          {"activated_parameters", config.activated_parameters()},
          {"dtype", config.dtype},
          {"fingerprint", fingerprint},
          {"threads", usual_threads()},
          {"native", native},
          {"problems", to_json(problems)}};
}

void print(const nlohmann::json& json) {
  fmt::print("{} · {} layers · hidden size {} · FFN {} · vocabulary {} · {}\n",
             json["architecture"].get<std::string>(), json["layers"].get<int>(),
             json["hidden_size"].get<int>(), json["intermediate_size"].get<int>(),
             json["vocab_size"].get<int>(), json["dtype"].get<std::string>());
  fmt::print("{} parameters, of which {} in the FFNs; {} used per token\n",
             format_count(json["parameters"].get<double>()),
             format_count(json["ffn_parameters"].get<double>()),
             format_count(json["activated_parameters"].get<double>()));
  if (!json["native"].is_null())
    fmt::print("A converted model: {} of {} layers are sparse. Its dense original was {}.\n",
               json["native"]["converted_layers"].size(), json["layers"].dump(),
               json["native"]["origin"].get<std::string>());
  else if (json["problems"].empty())
    fmt::print("It can be converted.\n");
}

}  // namespace

Command add_inspect(CLI::App& app) {
  auto model = std::make_shared<std::string>();
  app.add_option("MODEL", *model, "Folder with config.json and safetensors")->required();
  return [model](const Session& session) {
    const auto json = describe(*model, session.context);
    std::vector<Problem> problems;
    for (const auto& p : json["problems"])
      problems.push_back({p["message"], p["hint"], p["path"].get<std::string>()});
    // Where not even the config could be read, there is nothing to describe.
    if (!problems.empty() && json["layers"] == 0) throw Refusal(problems);
    session.output.result(json, [&] {
      print(json);
      if (!problems.empty()) session.output.error(Refusal(problems));
    });
    return problems.empty() ? 0 : 2;
  };
}

}  // namespace ladimo::cli
