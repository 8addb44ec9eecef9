#include "commands/inspect.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands.h"
#include "model_options.h"

namespace ladimo::cli {
namespace {

void print(const Inspection& inspection) {
  const ModelConfig& config = inspection.config;
  const auto count = [](std::int64_t parameters) { return format_count(static_cast<double>(parameters)); };
  const std::string name = config.family().empty()
                               ? config.architecture
                               : fmt::format("{} ({})", config.family(), config.architecture);
  fmt::print("{} · {} layers · hidden size {} · FFN {} · vocabulary {} · {}\n", name, config.layers,
             config.hidden_size, config.intermediate_size, config.vocab_size, config.dtype);
  fmt::print("{} parameters, of which {} in the FFNs; {} used per token\n", count(config.parameters()),
             count(config.ffn_parameters_per_layer() * config.layers), count(config.activated_parameters()));
  std::vector<std::string> facts;
  if (inspection.file_format)
    facts.push_back(*inspection.file_format == "gguf" ? "GGUF" : *inspection.file_format);
  if (inspection.quantisation) facts.push_back(*inspection.quantisation);
  if (inspection.tokenizer_kind) facts.push_back("tokenizer " + *inspection.tokenizer_kind);
  if (inspection.license) facts.push_back("license " + *inspection.license);
  if (!facts.empty()) fmt::print("{}\n", fmt::join(facts, " · "));
  if (inspection.native)
    fmt::print("A converted model: {} of {} layers are sparse. Its original was {}.\n",
               inspection.native->converted_layers.size(), config.layers, inspection.native->origin.string());
  else if (inspection.problems.empty())
    fmt::print("It can be converted.\n");
}

}  // namespace

Command add_inspect(CLI::App& app) {
  auto model = std::make_shared<std::filesystem::path>();
  add_model_argument(app, *model,
                     "Folder with config.json and safetensors, GGUF file, or ORG/NAME from the Hub");
  return [model](const Session& session) {
    const auto inspection = inspect(*model, session.context);
    session.context.warn(inspection.warnings);
    const bool fits = inspection.problems.empty();
    if (!fits && !inspection.described()) throw Refusal(inspection.problems);
    session.output.result(to_json(inspection), [&] {
      print(inspection);
      if (!fits) session.output.error(Refusal(inspection.problems));
    });
    return fits ? 0 : 2;
  };
}

}  // namespace ladimo::cli
