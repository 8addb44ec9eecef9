#include "transfer/format.h"

#include <algorithm>
#include <string_view>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.h"
#include "base/format.h"
#include "policy/class_policies.h"
#include "transfer/moe_format.h"
#include "transfer/native_format.h"

namespace ladimo {
namespace {

constexpr const char* native = "native";
constexpr double rounding = 1e-3;  // share of the largest logit; an exact copy of the run gives 0

}  // namespace

std::unique_ptr<const Format> format_named(const std::string& name, std::optional<GgufPrecision> gguf) {
  if (name == native) {
    if (gguf)
      throw Refusal("The native format has no GGUF.", "Choose another format with {format}, or omit {gguf}.");
    return native_format();
  }
  std::vector<std::string> names{native};
  for (const MoeClass& target : moe_classes()) {
    if (target.name == name) return moe_format(target, gguf);
    names.emplace_back(target.name);
  }
  throw Refusal(fmt::format("This version cannot write the format \"{}\".", name),
                fmt::format("Set {{format}} to {}.", fmt::join(names, ", ")));
}

std::vector<std::unique_ptr<const Format>> all_formats(GgufPrecision precision) {
  std::vector<std::unique_ptr<const Format>> all;
  all.push_back(native_format());
  for (const MoeClass& target : moe_classes()) {
    all.push_back(moe_format(target, {}));
    all.push_back(moe_format(target, precision));
  }
  return all;
}

Policy nearest_policy(const Format& format, const RunFolder& run, const Policy& wanted) {
  const auto& layers = run.recipe().layers;
  if (layers.empty())
    throw Refusal("This run has no experts to choose from.", "Convert layers in another run with {layers}.",
                  run.path());
  const auto limits = format.limits(run, wanted.layers.size());
  if (!objection(limits, wanted.layers)) return wanted;
  const auto shape = shape_in(*format.moe_class(), run.layers().shape(layers.front()));
  return ClassPolicies(run.tradeoff(), limits, shape).at_activated(wanted.predicted.activated_fraction);
}

void copy_small_files(const ModelFiles& from, const std::filesystem::path& to) {
  for (const char* name : {"tokenizer.model", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
                           "generation_config.json", "chat_template.jinja", "chat_template.json"})
    if (from.has(name)) write_file(to / name, from.read(name));
}

Verification compare_logits(const at::Tensor& expected, const at::Tensor& found) {
  if (!found.isfinite().all().item<bool>())
    throw Error("The logits of the exported model are not numbers.",
                "Write it in another precision, or check the weights ({inspect_model}).");
  const auto log_p = expected.log_softmax(1);
  const double kl = (log_p.exp() * (log_p - found.log_softmax(1))).sum(1).mean().item<double>();
  return {expected.size(0), (found - expected).abs().max().item<double>(), std::max(0.0, kl)};
}

void require_same_logits(const at::Tensor& expected, const at::Tensor& found,
                         const std::filesystem::path& path) {
  const double error = (found - expected).abs().max().item<double>();
  if (!(error <= rounding * std::max(1.0, expected.abs().max().item<double>())))
    throw Error(fmt::format("The exported model differs from the run: its logits are off by up to {}.",
                            format_number(error)),
                "Check the disk, then {export_again}.", path);
}

}  // namespace ladimo
