#include "commands/export.h"

#include <unistd.h>

#include <algorithm>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "base/path_problem.h"
#include "base/version.h"
#include "commands/loaded_model.h"
#include "commands/own_text.h"
#include "run/step.h"
#include "transfer/format.h"
#include "transfer/model_card.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t compared_tokens = 512, compared_window = 128;
constexpr double rounding = 1e-3;  // share of the largest logit; an exact copy of the run gives 0

/// A folder under a temporary name beside `path`. It is removed again unless it is committed.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(fs::path path)
      : final_(std::move(path)),
        path_(final_.parent_path() / fmt::format(".{}.tmp-{}", final_.filename().string(), ::getpid())) {
    create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const fs::path& path() const { return path_; }
  void commit() {
    rename(path_, final_);
    path_.clear();
  }

 private:
  fs::path final_, path_;
};

void require_possible(const ExportRequest& request) {
  if (has_entry(request.output))
    throw Refusal("A file or folder of that name exists already.", "Name a new folder with {output}.",
                  request.output);
  const auto parent = normal_path(request.output).parent_path();
  if (!is_directory(parent))
    throw Refusal("The folder that the model is to be written to does not exist.",
                  "Make it, or name another with {output}.", parent);
}

void require_disk(const ExportRequest& request, std::uint64_t bytes) {
  const auto free = free_disk_bytes(request.output);
  if (bytes > free)
    throw Refusal(
        fmt::format("The model needs {} of disk space; {} are free.",
                    format_bytes(static_cast<double>(bytes)), format_bytes(static_cast<double>(free))),
        "Free some space, or name a folder on another disk with {output}.", request.output);
}

/// Logits over `ids` [n, W], window by window: [n W, vocab] fp32 on the CPU.
at::Tensor logits_of(const Decoder& decoder, const at::Tensor& ids, const Context& context) {
  std::vector<at::Tensor> logits;
  for (const auto& window : ids.split(1)) {
    context.check();
    logits.push_back(decoder.forward(window).logits.flatten(0, 1).to(at::kCPU, at::kFloat));
  }
  return at::cat(logits);
}

/// Reads the folder again, without the run or the original, and compares it with the run. One model is in
/// memory at a time.
Verification verify(const Format& format, const fs::path& folder, const LoadedModel& model,
                    const ModelPolicy& policy, const Context& context) {
  const auto width = std::min(compared_window, model.config().max_positions);
  const auto ids =
      at::tensor(own_text(model.decoder(all_dense(model.config())), compared_tokens / width * width, context))
          .view({-1, width});
  const auto expected = logits_of(model.decoder(policy), ids, context);
  const auto found = logits_of(format.reread(folder, model.device(), model.held_dtype()), ids, context);
  const double error = (found - expected).abs().max().item<double>();
  const auto log_p = expected.log_softmax(1);
  const double kl = (log_p.exp() * (log_p - found.log_softmax(1))).sum(1).mean().item<double>();
  if (!(error <= rounding * std::max(1.0, expected.abs().max().item<double>())))
    throw Error(
        fmt::format("The model that was written differs from the run: its logits are off by up to {}.",
                    format_number(error)),
        "Check the disk, then {export_again}.", folder);
  return {ids.numel(), error, std::max(0.0, kl)};
}

/// The run's measurements of this policy.
std::vector<Measurement> measurements_of(const RunFolder& run, const Policy& policy) {
  auto found = read_measurements(run);
  std::erase_if(found, [&](const Measurement& one) { return one.policy.layers != policy.layers; });
  return found;
}

}  // namespace

ExportResult export_run(const ExportRequest& request, const Runtime& runtime, const Context& context) {
  const Format& format = format_named(request.format);
  require_possible(request);
  const LoadedModel model(OpenedModel::open(open_run(request.run).path(), request.dense), runtime);
  const RunFolder& run = *model.opened().run;
  const ExportSource source{model.opened().checkpoint, run, model.opened().policy(request.policy),
                            request.all_policies, request.shard_bytes};
  if (const auto objection = format.objection(source.policy.layers)) throw Refusal(*objection);
  const auto measurements = measurements_of(run, source.policy);
  require_disk(request, format.bytes(source));

  TemporaryFolder folder(normal_path(request.output));
  context.emit(begin_step(Step::writing, 0, 2));
  format.write(source, folder.path(), context);
  context.emit(begin_step(Step::reading_again, 1, 2));
  const auto verification = verify(format, folder.path(), model, source.policy.layers, context);
  const ExportReport report{fmt::format("ladimo {}", version()), run.recipe(), source.policy, verification,
                            measurements};
  write_json(folder.path() / "report.json", to_json(report));
  write_file(folder.path() / "README.md", model_card(report));
  folder.commit();

  ExportResult result{request.format, request.output, {}, 0, verification};
  for (const auto& entry : fs::directory_iterator(request.output)) {
    result.files.push_back(entry.path().filename().string());
    result.bytes += entry.file_size();
  }
  std::ranges::sort(result.files);
  return result;
}

}  // namespace ladimo
