// `ladimo policy`: every kind of budget and of frontier, on one converted pico model.
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

std::set<std::string> kinds_of(const nlohmann::json& policy) {
  std::set<std::string> kinds;
  for (const auto& layer : policy["layers"]) kinds.insert(layer["kind"]);
  return kinds;
}

}  // namespace

TEST_CASE("each budget is met, each frontier keeps to its kinds, and more kinds are never worse") {
  const Workplace work;
  const auto output = work.folder / "run";
  json_of(work.convert(output));
  const auto solved = [&](std::vector<std::string> options) {
    std::vector<std::string> arguments = {"policy", output};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return json_of(arguments);
  };
  const auto predicted = [](const nlohmann::json& policy, const char* key) {
    return policy["predicted"][key].get<double>();
  };

  const auto cheapest = solved({"--tradeoff", "1"});
  const double least = predicted(cheapest, "activated_fraction");
  const double half = (1 + least) / 2;
  const auto at_half = solved({"--activated", std::to_string(half)});
  CHECK(predicted(at_half, "activated_fraction") <= half);
  CHECK(predicted(at_half, "kl") < predicted(cheapest, "kl"));
  const double kl = predicted(at_half, "kl");
  const auto within_kl = solved({"--max-kl", std::to_string(kl)});
  CHECK(predicted(within_kl, "kl") <= kl);
  CHECK(predicted(within_kl, "activated_fraction") <= predicted(at_half, "activated_fraction") + 0.01);
  const double ffn = predicted(at_half, "ffn_activated");
  CHECK(predicted(solved({"--ffn-activated", std::to_string(ffn + 1e-6)}), "ffn_activated") <= ffn + 1e-6);

  const auto top_k = solved({"--activated", std::to_string(half), "--kinds", "top_k"});
  const auto threshold = solved({"--activated", std::to_string(half), "--kinds", "threshold"});
  CHECK(kinds_of(top_k).contains("top_k"));
  CHECK_FALSE(kinds_of(top_k).contains("threshold"));
  CHECK(kinds_of(threshold).contains("threshold"));
  CHECK_FALSE(kinds_of(threshold).contains("top_k"));
  // Pins hold even if --kinds excludes their kind.
  const auto pinned = solved({"--tradeoff", "0.5", "--kinds", "top_k", "--pin", "1=th0.05"});
  CHECK(pinned["layers"][1]["kind"] == "threshold");
  // The printed numbers are those in the policy file.
  const auto printed = run({"policy", output, "--tradeoff", "0.5", "--kinds", "top_k", "--pin", "1=th0.05"});
  CHECK(printed.out.find(fmt::format("KL {} nats", format_number(predicted(pinned, "kl")))) !=
        std::string::npos);

  const auto refused = run({"policy", output, "--kinds", "topk"});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("hint:") != std::string::npos);
}
