#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands.h"
#include "commands/export.h"
#include "model_options.h"

namespace ladimo::cli {

Command add_export(CLI::App& app) {
  auto request = std::make_shared<ExportRequest>();
  app.add_option("RUN", request->run, "Run folder")->required();
  app.add_option("--policy", request->policy, "Policy file (RUN/policy.json)");
  app.add_option("--format", request->format, "native");
  app.add_option("-o,--output", request->output, "New folder")->required();
  add_dense(app, request->dense);
  app.add_flag("--all-policies", request->all_policies,
               "Keep the dense weights of converted layers too, so that any policy can be used");
  app.add_option("--shard-bytes", request->shard_bytes, "Largest weight file in bytes (4 GiB)")
      ->check(CLI::PositiveNumber);
  return [request](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const auto result = export_run(*request, runtime, session.context);
    session.output.result(to_json(result), [&] {
      fmt::print("{} files, {}, in {}\n", result.files.size(),
                 format_bytes(static_cast<double>(result.bytes)), result.path.string());
      fmt::print("Read again: logits differ from the run's by at most {} over {} tokens.\n",
                 format_number(result.verification.max_logit_error), result.verification.tokens);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
