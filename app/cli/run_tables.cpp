#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "base/setting.h"
#include "commands.h"
#include "policy/class_policies.h"
#include "policy/frontier.h"
#include "policy/moe_class.h"
#include "policy/perplexity_change.h"
#include "run/run_view.h"

namespace ladimo::cli {
namespace {

/// Only a policy file may be overwritten.
void refuse_to_overwrite(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file) ||
      (file.has_parent_path() && !std::filesystem::is_directory(file.parent_path())))
    throw Refusal("The policy cannot be written there.",
                  "Choose a file in a folder that exists with {output}.", file);
  if (!std::filesystem::exists(file)) return;
  try {
    policy_from_json(read_json(file), file);
  } catch (const Refusal&) {
    throw Refusal("A file of that name exists and is not a policy.", "Choose another name with {output}.",
                  file);
  }
}

void print_predicted(const PolicyNumbers& n, double ratio, const std::optional<Decoding>& decoding) {
  fmt::print(
      "predicted: KL {} nats/token · perplexity {} · activated {:.1f} % of all parameters, {:.1f} % of the "
      "FFNs'",
      format_number(n.kl), change_in_words(ratio), 100 * n.activated_fraction, 100 * n.ffn_activated);
  if (n.decode_ms)
    fmt::print(" · {} ms per {}", format_number(*n.decode_ms),
               decoding
                   ? fmt::format("step of {} sequences after {} tokens", decoding->batch, decoding->context)
                   : "token");
  fmt::print("\n");
}

/// A policy with its threshold in four digits; the policy file has all of them.
std::string short_name(LayerPolicy policy) {
  policy.cuts = {};
  if (policy.kind != LayerPolicy::Kind::threshold) return to_string(policy);
  return fmt::format("th{:.4g}", policy.threshold);
}

/// The share of a product's inputs that run, such as "71 %"; "-" where all do.
std::string share_of(const LayerPolicy& policy, Product product) {
  const InputCut& cut = policy.cut(product);
  return cut.threshold > 0 ? fmt::format("{:.0f} %", 100 * cut.share) : "-";
}

/// Prints the layers with their policies and what runs, and the predicted numbers.
void print_policy(const Policy& policy, const TradeoffTable& table,
                  const std::optional<LatencyTable>& latency) {
  const bool cuts =
      std::ranges::any_of(policy.layers, [](const LayerPolicy& layer) { return layer.cuts_inputs(); });
  const auto experts_on = table.routed > 0 ? fmt::format("experts on (of {})", table.routed) : "experts on";
  fmt::print("layer  policy          {}", experts_on);
  if (cuts) fmt::print("  inputs of q,k,v     o  gate,up  neurons");
  fmt::print("\n");
  for (std::size_t l = 0; l < policy.layers.size(); ++l) {
    const auto& layer = policy.layers[l];
    const bool dense = layer.kind == LayerPolicy::Kind::dense;
    fmt::print("{:>5}  {:<14}  {:<{}}", l, short_name(layer), dense ? "-" : format_number(layer.mean_experts),
               cuts ? experts_on.size() : 0);
    if (cuts)
      fmt::print("  {:>15}  {:>4}  {:>7}  {:>7}", share_of(layer, Product::qkv), share_of(layer, Product::o),
                 share_of(layer, Product::gate_up), share_of(layer, Product::down));
    fmt::print("\n");
  }
  auto predicted = policy.predicted;
  if (latency && !predicted.decode_ms)
    predicted.decode_ms = predict(table, &*latency, policy.layers).decode_ms;
  print_predicted(predicted, perplexity_ratio(table, predicted), policy.decoding);
}

void print_show(const RunView& view) {
  const Recipe& recipe = view.recipe;
  const auto experts = recipe.layers.empty()
                           ? std::string("no experts")
                           : fmt::format("{} experts ({} shared)", recipe.experts, recipe.shared);
  fmt::print("{}: {} · {} tokens · seed {}\n", recipe.model.string(), experts, recipe.tokens, recipe.seed);
  const auto done = std::ranges::count(view.layers, true, &LayerView::done);
  if (!recipe.layers.empty()) fmt::print("{} of {} layers converted\n", done, recipe.layers.size());
  if (!view.tradeoff) {
    fmt::print("The run has no tables yet. To finish it, {}.\n", command_line().action(Action::continue_run));
    return;
  }
  const Frontier frontier(*view.tradeoff, view.latency ? &*view.latency : nullptr, Cost::activated);
  fmt::print("\ntrade-off  KL (predicted)  activated  FFN activated\n");
  for (int i = 0; i <= 10; ++i) {
    const auto predicted = frontier.at_tradeoff(i / 10.0).predicted;
    fmt::print("{:>9.1f}  {:>14}  {:>7.1f} %  {:>11.1f} %\n", i / 10.0, format_number(predicted.kl),
               100 * predicted.activated_fraction, 100 * predicted.ffn_activated);
  }
  if (view.policy) {
    require_model(*view.policy, recipe.model_fingerprint, view.tradeoff->layers.size());
    fmt::print("\n");
    print_policy(*view.policy, *view.tradeoff, view.latency);
  }
}

ClassPolicies policies_of_class(const RunFolder& run, const TradeoffTable& table, const std::string& name) {
  const auto& target = moe_class_named(name);
  const Recipe recipe = run.recipe();
  if (recipe.layers.empty())
    throw Refusal("This run has no experts to choose from.", "Convert layers in another run with {layers}.",
                  run.path());
  return {table, target.in_transformers, shape_in(target, run.layers().shape(recipe.layers.front()))};
}

}  // namespace

Command add_show(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  app.add_option("RUN", *path, "Run folder")->required();
  return [path](const Session& session) {
    const auto view = view_run(open_run(*path));
    session.output.result(to_json(view), [&] { print_show(view); });
    return 0;
  };
}

Command add_policy(CLI::App& app) {
  struct Options {
    std::string run, cost = "activated", kinds = "mixed", grains = "all", target;
    PolicyRequest request;
    std::vector<std::string> pins;
    std::optional<std::string> output;
    std::optional<int> batch, context;
  };
  auto options = std::make_shared<Options>();
  auto& request = options->request;
  app.add_option("RUN", options->run, "Run folder")->required();
  auto* budgets = app.add_option_group("budget", "Budget (one of)");
  budgets->add_option("--tradeoff", request.tradeoff, "0: all dense ... 1: the cheapest (0.5)");
  budgets->add_option("--activated", request.activated, "Share of all parameters used per token, like 0.8");
  budgets->add_option("--ffn-activated", request.ffn_activated,
                      "Share of the FFNs' parameters used per token");
  budgets->add_option("--max-kl", request.max_kl, "The cheapest policy within this KL (nats per token)");
  budgets->add_option("--speedup", request.speedup,
                      "At least this many times as fast as dense, by measured times");
  budgets->require_option(0, 1);
  app.add_option("--cost", options->cost, "activated or decode_ms");
  app.add_option("--kinds", options->kinds, "Sparse policies to choose from: threshold, top_k or mixed");
  app.add_option("--grains", options->grains,
                 "What may be skipped: all, or any of experts, neurons, inputs (all)");
  app.add_option("--for", options->target,
                 "Only policies that a format supports, or `none` for all (the format of the run, if it was "
                 "made for one)");
  app.add_option("--pin", options->pins,
                 "3=dense, 3=top2, 3=th0.031, 3=dense+neurons0.02: a layer that keeps its policy");
  app.add_option("--batch", options->batch, "Use decode times of this many sequences at a time (1)")
      ->check(whole_number);
  app.add_option("--context", options->context, "Use decode times after this many tokens (0)")
      ->check(whole_number);
  app.add_option("-o,--output", options->output, "Policy file (RUN/policy.json)");
  return [options](const Session& session) {
    const auto run = open_run(options->run);
    auto asked = options->request;
    asked.cost = asked.speedup ? Cost::decode_ms : parse_cost(options->cost);
    asked.kinds = parse_kinds(options->kinds);
    asked.grains = parse_grains(options->grains);
    for (const auto& pin : options->pins) asked.pins.push_back(parse_pin(pin));
    const auto table = run.tradeoff();
    std::optional<Decoding> decoding;
    if (options->batch || options->context)
      decoding = {options->batch.value_or(1), options->context.value_or(0)};
    auto latency = run.latency();
    if (decoding && !latency)
      throw Refusal("The run has no latency table and so no decode times.",
                    "Leave {batch} and {context} out, or {continue_run}: they are measured.", run.path());
    if (decoding) latency = latency->at(decoding->batch, decoding->context);
    const auto target = options->target.empty() ? run.recipe().target : options->target;
    const bool for_format = !target.empty() && target != "none";
    if (for_format && decoding)
      throw Refusal("A policy for a format is chosen by parameters or KL, not by decode times.",
                    "Leave {batch} and {context} out.");
    auto policy = for_format ? solve(policies_of_class(run, table, target), asked)
                             : solve(table, latency ? &*latency : nullptr, asked);
    policy.decoding = decoding;
    const auto file = options->output ? std::filesystem::path(*options->output) : run.policy_file();
    if (options->output) refuse_to_overwrite(file);
    write_json(file, to_json(policy));
    session.output.result(to_json(policy), [&] {
      print_policy(policy, table, latency);
      fmt::print("Written to {}.\n", file.string());
    });
    if (latency && asked.cost == Cost::decode_ms)
      if (const auto doubt = latency->doubt()) session.context.warn(doubt->message, doubt->hint);
    return 0;
  };
}

}  // namespace ladimo::cli
