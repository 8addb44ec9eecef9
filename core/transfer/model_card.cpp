#include "transfer/model_card.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/format.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

std::string number(const Json& value) { return value.is_null() ? "-" : format_number(value.get<double>()); }
std::string percent(const Json& value) {
  return value.is_null() ? "-" : format_number(100 * value.get<double>()) + " %";
}

std::string row(const std::string& what, const Json& numbers) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", what, number(numbers["kl"]),
                     number(numbers["perplexity"]), percent(numbers["activated_fraction"]),
                     percent(numbers["ffn_activated"]));
}

std::string measured_rows(const Json& measurements) {
  std::string rows;
  for (const Json& m : measurements)
    rows +=
        row(fmt::format("measured {} on {} tokens of {}", m["date"].get<std::string>(), m["tokens"].dump(),
                        m["split"] == "checking" ? "the run's held-out text" : "other text"),
            m["numbers"]);
  return rows;
}

std::string policy_rows(const Json& layers) {
  std::string rows;
  for (const Json& layer : layers) {
    const auto kind = layer["kind"].get<std::string>();
    const auto experts = kind == "top_k"       ? layer["k"].dump()
                         : kind == "threshold" ? number(layer["mean_experts"])
                                               : "-";
    rows += fmt::format("| {} | {} | {} |\n", layer["layer"].dump(), kind, experts);
  }
  return rows;
}

}  // namespace

std::string model_card(const Json& report) {
  const Json& recipe = report["recipe"];
  const Json& check = report["verification"];
  return fmt::format(
      "# {0}, converted by LaDiMo Studio\n\n"
      "A dense language model whose feed-forward networks (FFNs) were distilled, layer by layer, into {1} "
      "experts "
      "each, {2} of them always on. Every token uses only the experts that the policy below chooses. Open it "
      "with "
      "`ladimo generate FOLDER --prompt TEXT` or `ladimo-studio FOLDER`.\n\n"
      "## Distance from the dense model\n\n"
      "KL is the mean KL(dense || converted) of the next-token distributions, in nats per token.\n\n"
      "| | KL | perplexity | activated parameters | of the FFNs |\n|---|---|---|---|---|\n{3}{4}\n"
      "When this folder was written it was read again: over {5} tokens its logits differ from the run's by "
      "at most "
      "{6} (KL {7}).\n\n"
      "## Policy\n\n| layer | policy | experts on per token (of {8}) |\n|---|---|---|\n{9}\n"
      "The experts on of a threshold are predicted. Converted with {10} calibration tokens, seed {11}; "
      "`report.json` has the whole recipe.\n",
      std::filesystem::path(recipe["model"].get<std::string>()).filename().string(), recipe["experts"].dump(),
      recipe["shared"].dump(), row("predicted", report["policy"]["predicted"]),
      measured_rows(report["measurements"]), check["tokens"].dump(), number(check["max_logit_error"]),
      number(check["kl_against_run"]), recipe["experts"].get<int>() - recipe["shared"].get<int>(),
      policy_rows(report["policy"]["layers"]), recipe["tokens"].dump(), recipe["seed"].dump());
}

}  // namespace ladimo
