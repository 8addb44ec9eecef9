#include "ui/models/run_summary.h"

#include <doctest/doctest.h>

#include <string>

#include "base/error.h"
#include "example_run.h"

using namespace ladimo;
using namespace ladimo::ui;
using nlohmann::json;

namespace {

RunSummary summary_of(const json& show) { return read_summary(QByteArray::fromStdString(show.dump())); }

}  // namespace

TEST_CASE("a finished run is read whole") {
  const RunSummary run = summary_of(testing::example_show());
  CHECK(run.model == "tiny-stories");
  CHECK(run.experts == 64);
  CHECK(run.shared == 16);
  CHECK(run.converted_layers == 6);
  REQUIRE(run.layers.size() == 6);

  const LayerRow& dense = run.layers[0];
  CHECK(*dense.policy == LayerPolicy::dense());
  CHECK_FALSE(dense.experts_on);
  CHECK(*dense.kl == 0);
  CHECK(*dense.activated == 1);

  const LayerRow& sparse = run.layers[3];
  CHECK(*sparse.experts_on == doctest::Approx(25.75));
  CHECK(*sparse.kl == doctest::Approx(0.0123 / 9));
  CHECK(*sparse.activated == doctest::Approx(0.65));
  CHECK(*sparse.loss_before == doctest::Approx(0.12));
  CHECK(*sparse.loss_after == doctest::Approx(0.0336));
  CHECK(sparse.routed == 48);
  CHECK(sparse.routing_weights.size() == histogram_bins + 2);

  CHECK(*run.layers[2].experts_on == 12);
}

TEST_CASE("what a run does not have yet is absent, not zero") {
  json show = testing::example_show();
  for (const char* key : {"profile", "tradeoff", "policy"}) show[key] = nullptr;
  show["layers"] = json::array({show["layers"][0], {{"layer", 1}, {"done", false}}});
  const RunSummary run = summary_of(show);
  CHECK(run.converted_layers == 1);
  REQUIRE(run.layers.size() == 6);
  CHECK(run.layers[0].converted);
  CHECK_FALSE(run.layers[1].converted);
  CHECK_FALSE(run.layers[1].loss_after);
  CHECK_FALSE(run.layers[0].policy);
  CHECK_FALSE(run.layers[0].kl);
  CHECK(run.layers[0].routing_weights.empty());
  CHECK(consequences(run).contains("No policy"));
}

TEST_CASE("layers that were not converted are listed too") {
  json show = testing::example_show();
  show["recipe"]["layers"] = {1, 3};
  show["layers"] = json::array({show["layers"][1], show["layers"][3]});
  const RunSummary run = summary_of(show);
  REQUIRE(run.layers.size() == 6);
  for (int layer = 0; layer < 6; ++layer) CHECK(run.layers[std::size_t(layer)].layer == layer);
  CHECK(description(run).startsWith("2 of 6 layers converted"));
}

TEST_CASE("a policy between two rungs of the ladder has a price too") {
  json show = testing::example_show();
  json& rung = show["tradeoff"]["layers"][3]["candidates"][1];
  json lower = rung;
  lower["threshold"] = 0.07;
  lower["mean_experts"] = 10.0;
  lower["kl"] = 0.01;
  lower["activated"] = 0.3 * testing::example_ffn;
  show["tradeoff"]["layers"][3]["candidates"].push_back(lower);
  show["policy"]["layers"][3]["threshold"] = 0.05;
  const LayerRow row = summary_of(show).layers[3];
  CHECK(*row.kl > 0.0123 / 9);
  CHECK(*row.kl < 0.01);
  CHECK(*row.activated > 0.3);
  CHECK(*row.activated < 0.65);
}

TEST_CASE("the sentences say what is predicted and what is measured") {
  json show = testing::example_show();
  const RunSummary predicted = summary_of(show);
  CHECK(description(predicted).contains("99,840 tokens from stories-train.txt, books-train.txt"));
  CHECK(consequences(predicted).contains("(predicted)"));
  CHECK(consequences(predicted).contains("KL 0.0198 nats per token"));
  CHECK(consequences(predicted).contains("21.1 → 21.4"));
  CHECK(consequences(predicted).contains("80.0 % of the parameters activated"));

  show["policy"]["measured"] = show["policy"]["predicted"];
  show["policy"]["measured"]["kl"] = 0.0211;
  show["policy"]["measured"]["decode_ms"] = 1.284;
  CHECK(consequences(summary_of(show)).contains("<b>KL 0.0211"));
  CHECK(consequences(summary_of(show)).contains("(measured)"));
  CHECK(consequences(summary_of(show)).contains("1.28 ms per token"));
  CHECK_FALSE(consequences(predicted).contains("ms per token"));

  show["recipe"]["text"] = "self";
  show["recipe"]["text_fingerprints"] = json::array();
  CHECK(description(summary_of(show)).contains("text that the model wrote itself"));
}

TEST_CASE("policies read as words") {
  CHECK(in_words(LayerPolicy::dense()) == "dense");
  CHECK(in_words(LayerPolicy::top(3)) == "3 strongest");
  CHECK(in_words(LayerPolicy::above(0.0312)) == "threshold 0.0312");
}

TEST_CASE("what is not a run is refused in words") {
  const json good = testing::example_show();
  json without_recipe = good, bad_policy = good;
  without_recipe.erase("recipe");
  bad_policy["policy"]["layers"][1]["kind"] = "magic";
  const struct {
    std::string bytes;
    const char* sentence;
  } rows[] = {
      {"", "cannot be understood"},           {"[1, 2", "cannot be understood"},
      {"[]", "description of the run"},       {without_recipe.dump(), "recipe"},
      {bad_policy.dump(), "kind is none of"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sentence);
    std::string said = "nothing";
    try {
      read_summary(QByteArray::fromStdString(row.bytes));
    } catch (const Refusal& refusal) {
      said = refusal.what();
    }
    CHECK_MESSAGE(said.find(row.sentence) != std::string::npos, said);
  }
}
