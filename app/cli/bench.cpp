#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands/bench.h"
#include "model_options.h"

namespace ladimo::cli {
namespace {

void print_speeds(const char* label, const nlohmann::json& json) {
  std::vector<std::string> parts;
  for (const char* side : {"dense", "converted"}) {
    const auto& speed = json[std::string(side) + "_tokens_per_s"];
    if (!speed.is_null())
      parts.push_back(fmt::format("{} {} tokens/s", side, format_number(speed.get<double>())));
  }
  if (!json["speedup"].is_null())
    parts.push_back(fmt::format("{} times as fast", format_number(json["speedup"].get<double>())));
  fmt::print("{}: {} (± {:.1f} %)\n", label, fmt::join(parts, " · "), 100 * json["noise"].get<double>());
}

}  // namespace

Command add_bench(CLI::App& app) {
  auto options = std::make_shared<ModelOptions>();
  add_model(app, *options);
  return [options](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device);
    const LoadedModel model(OpenedModel::open(options->model, options->dense), runtime);
    const auto json = bench(model, model.opened().policy(options->policy).layers, session.context);
    session.output.result(json, [&] {
      print_speeds("decode", json["decode"]);
      print_speeds("prompt", json["prefill"]);
      fmt::print("{} of weights a token, read at {:.0f} % of the {}/s that this machine reads\n",
                 format_bytes(json["decode"]["bytes_per_token"].get<double>()),
                 100 * json["decode"]["bandwidth_fraction"].get<double>(),
                 format_bytes(json["read_bytes_per_s"].get<double>()));
    });
    return 0;
  };
}

}  // namespace ladimo::cli
