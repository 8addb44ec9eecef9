#include "commands/export.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "base/path_problem.h"
#include "base/version.h"
#include "base/working_folder.h"
#include "checkpoint/gguf.h"
#include "commands/export_fit.h"
#include "commands/loaded_model.h"
#include "commands/own_text.h"
#include "policy/class_policies.h"
#include "policy/perplexity_change.h"
#include "run/step.h"
#include "transfer/format.h"
#include "transfer/model_card.h"
#include "transfer/moe_format.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t compared_tokens = 512, compared_window = 128;

void require_possible(const ExportRequest& request, const Format& format) {
  if (request.all_policies && format.moe_class() != nullptr)
    throw Refusal("Only the native format keeps weights for all policies.",
                  "Omit {all_policies}, or choose {format} native.");
  if ((request.fit || request.finish > 0) && format.moe_class() == nullptr)
    throw Refusal("The native format supports every policy, so there is nothing to fit.",
                  request.fit ? "Omit {fit}." : "Omit {finish}.");
  if (request.finish > 0 && !request.fit)
    throw Refusal("Training needs a fit, and none was requested.", "Add {fit}, or omit {finish}.");
  if (request.gguf && request.output.extension() != ".gguf")
    throw Refusal("The name of a GGUF file must end in .gguf.", "Name it so with {output}.", request.output);
  if (has_entry(request.output))
    throw Refusal("A file or folder of that name exists already.", "Choose a new folder with {output}.",
                  request.output);
  const auto parent = normal_path(request.output).parent_path();
  if (!is_directory(parent))
    throw Refusal("The folder for the model does not exist.", "Make it, or choose another with {output}.",
                  parent);
  if (!request.gguf) return;
  if (const auto part = first_part_of_gguf(normal_path(request.output)))
    throw Refusal("Parts of a GGUF file of that name exist already.", "Choose another name with {output}.",
                  *part);
}

void require_disk(const ExportRequest& request, std::uint64_t bytes) {
  const auto free = free_disk_bytes(request.output);
  if (bytes > free)
    throw Refusal(
        fmt::format("The model needs {} of disk space; {} are free.",
                    format_bytes(static_cast<double>(bytes)), format_bytes(static_cast<double>(free))),
        "Free some space, or choose a folder on another disk with {output}.", request.output);
}

/// A text that the dense model writes, in windows, and what the run says of it under `policy`. Of the models
/// only one is in memory at a time.
Format::Expected expected_of(const LoadedModel& model, const ModelPolicy& policy, const Context& context) {
  const auto width = std::min(compared_window, model.config().max_positions);
  Format::Expected expected;
  expected.ids =
      at::tensor(own_text(model.decoder(all_dense(model.config())), compared_tokens / width * width, context))
          .view({-1, width});
  const Decoder decoder = model.decoder(policy);
  std::vector<at::Tensor> logits;
  for (const auto& window : expected.ids.split(1)) {
    context.check();
    logits.push_back(decoder.forward(window).logits.flatten(0, 1).to(at::kCPU, at::kFloat));
  }
  expected.logits = at::cat(logits);
  return expected;
}

/// How many times the dense model's perplexity the policy is predicted to have; absent without tables.
std::optional<double> predicted_ratio(const RunFolder& run, const Policy& policy) {
  if (!std::filesystem::exists(run.tradeoff_file())) return {};
  return perplexity_ratio(run.tradeoff(), policy.predicted);
}

/// The run's measurements of this policy.
std::vector<Measurement> measurements_of(const RunFolder& run, const Policy& policy) {
  auto found = read_measurements(run);
  std::erase_if(found, [&](const Measurement& one) { return one.policy.layers != policy.layers; });
  return found;
}

/// Adds the nearest policy that the format has to what it objects to in `wanted`.
void name_nearest(Problem& problem, const Format& format, const RunFolder& run, const Policy& wanted) try {
  const Policy nearest = nearest_policy(format, run, wanted);
  if (nearest.layers == wanted.layers) return;  // the objection is to the layers
  problem.message += fmt::format(" The closest policy it supports: {}, predicted KL {}.",
                                 k_in_words(nearest.layers), format_number(nearest.predicted.kl));
} catch (const Refusal&) {
  // It has none for this run.
}

/// Gives what was written its final name, and lists the files.
void publish(WorkingFolder& folder, const ExportRequest& request, ExportResult& result) {
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    result.files.push_back(entry.path().filename().string());
    result.bytes += entry.file_size();
  }
  std::ranges::sort(result.files);
  if (!request.gguf) return folder.commit();
  const auto parent = normal_path(request.output).parent_path();
  for (const std::string& file : result.files) rename(folder.path() / file, parent / file);
  result.path = request.output.parent_path() / result.files.front();
}

}  // namespace

ExportResult export_run(const ExportRequest& request, const Runtime& runtime, const Context& context) {
  const auto format = format_named(request.format, request.gguf);
  require_possible(request, *format);
  auto opened = OpenedModel::open(open_run(request.run).path(), request.dense);
  opened.run_text = request.run_text;
  const LoadedModel model(std::move(opened), runtime);
  const RunFolder& run = *model.opened().run;
  const Policy wanted = model.opened().policy(request.policy);
  ExportSource source{model.opened().checkpoint, run, wanted, request.all_policies, request.shard_bytes};
  if (const auto objection = format->objection(source.original)) throw Refusal(*objection);

  WorkingFolder folder(normal_path(request.output));
  const auto path = request.gguf ? folder.path() / request.output.filename() : folder.path();
  const bool fits = request.fit && format->moe_class() != nullptr;
  const int steps = fits ? 3 : 2;
  std::optional<FitPrice> price;
  std::optional<WorkingFolder> scratch;
  if (fits) {
    context.emit(begin_step(Step::fit, 0, steps));
    // Layers are kept in fp32, as they are, fitted, and finished.
    const auto ffn = static_cast<std::uint64_t>(source.original.config().ffn_parameters_per_layer());
    const std::uint64_t kinds = request.finish > 0 ? 3 : 2;
    require_disk(request, kinds * 4 * ffn * run.recipe().layers.size());
    scratch.emplace(normal_path(request.output).concat(".fit"));
    auto fitted = fit_run(model, *format, wanted, request.finish, scratch->path(), context);
    source.policy = fitted.policy;
    source.moe = fitted.layer;
    price = fitted.price;
  } else if (format->moe_class() != nullptr) {
    if (auto objection = format->objection(run, wanted.layers)) {
      name_nearest(*objection, *format, run, wanted);
      throw Refusal(*objection);
    }
    source.moe = layers_of_class(*format->moe_class(), source, model.device());
  }
  require_disk(request, format->bytes(source));
  ExportReport report{fmt::format("ladimo {}", version()),
                      run.recipe(),
                      source.policy,
                      /*verification=*/{},
                      price ? std::vector<Measurement>() : measurements_of(run, source.policy),
                      price,
                      request.format};
  source.description = model_summary(report);

  context.emit(begin_step(Step::writing, steps - 2, steps));
  format->write(source, path, context);
  context.emit(begin_step(Step::reading_again, steps - 1, steps));
  report.verification =
      format->verify(source, path, expected_of(model, wanted.layers, context),
                     WeightSource(source.original, model.device(), model.held_dtype()), context);
  ExportResult result{request.format, request.output, {}, 0, report.verification, price};
  if (!request.gguf) {
    write_json(folder.path() / "report.json", to_json(report));
    write_file(folder.path() / "README.md", model_card(report, predicted_ratio(run, source.policy)));
  }
  publish(folder, request, result);
  return result;
}

}  // namespace ladimo
