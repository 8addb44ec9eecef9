#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands/bench.h"
#include "model_options.h"

namespace ladimo::cli {
namespace {

void print_speed(const char* label, const Speed& speed) {
  std::vector<std::string> parts;
  const auto add = [&](const char* side, const std::optional<double>& tokens_per_s) {
    if (tokens_per_s) parts.push_back(fmt::format("{} {} tokens/s", side, format_number(*tokens_per_s)));
  };
  add("dense", speed.dense_tokens_per_s);
  add("converted", speed.converted_tokens_per_s);
  if (const auto speedup = speed.speedup())
    parts.push_back(fmt::format("{} times as fast", format_number(*speedup)));
  fmt::print("{}: {} (± {:.1f} %)\n", label, fmt::join(parts, " · "), 100 * speed.noise);
}

}  // namespace

Command add_bench(CLI::App& app) {
  struct Options : ModelOptions {
    std::optional<std::filesystem::path> text;
  };
  auto options = std::make_shared<Options>();
  add_model(app, *options);
  add_hold(app, *options);
  app.add_option("--text", options->text,
                 "Text file to decode and to use as prompt; it affects how many experts run (text generated "
                 "by the model)");
  return [options](const Session& session) {
    const auto runtime = start_holding_runtime(session.common, *options);
    const LoadedModel model(OpenedModel::open(options->model, options->dense), runtime);
    const auto result =
        bench(model, model.opened().policy(options->policy).layers, options->text, session.context);
    session.output.result(to_json(result), [&] {
      print_speed("decode", result.decode);
      if (result.predicted_decode_ms)
        fmt::print("{} ms per token, {} predicted for the experts that ran on this text\n",
                   format_number(*result.decode.converted_ms()), format_number(*result.predicted_decode_ms));
      print_speed("prompt", result.prefill);
      fmt::print("{} of weights per token, read at {:.0f} % of this machine's {}/s\n",
                 format_bytes(result.bytes_per_token), 100 * result.bandwidth_fraction,
                 format_bytes(result.read_bytes_per_s));
      if (result.hold)
        fmt::print("held as {}: KL {} nats per token from the weights as stored, over {} tokens\n",
                   result.dtype, format_number(result.hold->kl), result.hold->tokens);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
