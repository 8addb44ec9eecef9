#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "checkpoint/checkpoint.h"
#include "commands.h"
#include "run/plan.h"

namespace ladimo::cli {
namespace {

nlohmann::json describe(const std::filesystem::path& folder, const Context& context) {
  ModelConfig config;
  auto problems = find_problems(folder, config);
  nlohmann::json fingerprint;
  if (problems.empty()) {
    const auto checkpoint = Checkpoint::open(folder);
    problems = find_bad_weights(checkpoint, context);
    fingerprint = checkpoint.fingerprint();
  }
  return {{"architecture", config.architecture},
          {"layers", config.layers},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"vocab_size", config.vocab_size},
          {"max_positions", config.max_positions},
          {"parameters", config.parameters()},
          {"ffn_parameters", config.ffn_parameters_per_layer() * config.layers},
          {"activated_parameters", config.activated_parameters()},
          {"dtype", config.dtype},
          {"fingerprint", fingerprint},
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
  if (json["problems"].empty()) fmt::print("It can be converted.\n");
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
