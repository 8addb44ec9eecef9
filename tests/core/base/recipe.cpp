#include "run/recipe.h"

#include <functional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;

namespace {

Recipe sample_recipe() {
  Recipe recipe;
  recipe.model = "/models/small";
  recipe.model_fingerprint = "aa";
  recipe.text = {"/text/a.txt", "/text/b.jsonl"};
  recipe.text_fingerprints = {"bb", "cc"};
  recipe.window = 256;
  recipe.experts = 64;
  recipe.shared = 16;
  recipe.layers = {0, 2, 5};
  recipe.seed = 18446744073709551615U;
  recipe.stage1.epochs = 5;
  return recipe;
}

}  // namespace

TEST_CASE("a recipe is read back completely") {
  const json written = to_json(sample_recipe());
  CHECK(to_json(recipe_from_json(json::parse(written.dump()), {})) == written);
  CHECK(written["stage1"]["levels"] == json({0.15, 0.35, 0.55, 0.8}));
  Recipe self = sample_recipe();
  self.text.clear();
  self.text_fingerprints.clear();
  CHECK(to_json(self)["text"] == "self");
  CHECK(recipe_from_json(to_json(self), {}, sample_recipe()).self_text());
}

TEST_CASE("missing keys keep their values") {
  const Recipe recipe =
      recipe_from_json(json::parse(R"({"experts": 32, "stage1": {"distil": false}})"), {}, sample_recipe());
  CHECK(recipe.experts == 32);
  CHECK(recipe.shared == 16);
  CHECK_FALSE(recipe.stage1.distil);
  CHECK(recipe.stage1.epochs == 5);
  CHECK(recipe.text.size() == 2);
}

TEST_CASE("unknown keys and impossible values are refused by name") {
  const std::pair<const char*, const char*> bad[] = {
      {R"([1])", "The recipe: it is not a JSON object"},
      {R"({"expert": 3})", "the key \"expert\" is unknown. | Supported: model,"},
      {R"({"stage1": {"epoch": 3}})", "the key \"stage1.epoch\" is unknown"},
      {R"({"stage1": 3})", "stage1 is not a JSON object"},
      {R"({"text": []})", "text is empty"},
      {R"({"text": "other"})", "text is not a list"},
      {R"({"text": [3]})", "text is not a list of strings"},
      {R"({"tokens": 0})", "tokens is less than 1"},
      {R"({"tokens": "many"})", "tokens is not an integer"},
      {R"({"held_out_tokens": 0})", "held_out_tokens is less than 1"},
      {R"({"window": 1})", "window is less than 2"},
      {R"({"experts": 0})", "experts is less than 1"},
      {R"({"shared": -1})", "shared is negative"},
      {R"({"experts": 8, "shared": 8})", "shared leaves no expert to be routed"},
      {R"({"layers": [3, 2]})", "layers must hold rising layer numbers"},
      {R"({"layers": [-1, 2]})", "layers must hold rising layer numbers"},
      {R"({"seed": -1})", "seed is not an integer of at least 0"},
      {R"({"sensitivity": "guessed"})", "sensitivity is not one of auto, measured, estimated"},
      {R"({"stage1": {"activation_share": 1}})", "stage1.activation_share is not between 0 and 1"},
      {R"({"stage1": {"feature_tokens": 0}})", "stage1.feature_tokens is less than 1"},
      {R"({"stage1": {"router_ridge": -1}})", "stage1.router_ridge is negative"},
      {R"({"stage1": {"levels": []}})", "stage1.levels must hold activity levels"},
      {R"({"stage1": {"levels": [0.5, 1.0]}})", "stage1.levels must hold activity levels"},
      {R"({"stage1": {"refit": 1}})", "stage1.refit is neither true nor false"},
      {R"({"stage1": {"refit_ridge": -1}})", "stage1.refit_ridge is negative"},
      {R"({"stage1": {"epochs": -1}})", "stage1.epochs is negative"},
      {R"({"stage1": {"batch": 0}})", "stage1.batch is less than 1"},
      {R"({"stage1": {"learning_rate": 0}})", "stage1.learning_rate is not above 0"},
      {R"({"stage1": {"validation_share": 0}})", "stage1.validation_share is not between 0 and 1"},
      {R"({"stage1": {"router_ranks": [8, 0]}})", "stage1.router_ranks must hold ranks of at least 1"},
      {R"({"stage1": {"second_sweep": "yes"}})", "stage1.second_sweep is neither true nor false"},
      {R"({"stage1": {"second_swep": true}})", "the key \"stage1.second_swep\" is unknown"},
      {R"({"finish": {"use": "maybe"}})", "finish.use is not one of auto, on, off"},
      {R"({"finish": {"epochs": 0}})", "finish.epochs is less than 1"},
      {R"({"finish": {"batch": 0}})", "finish.batch is less than 1"},
      {R"({"finish": {"block": -2}})", "finish.block is less than -1"},
      {R"({"finish": {"learning_rate": 0}})", "finish.learning_rate is not above 0"},
      {R"({"finish": {"slope": -1}})", "finish.slope is not above 0"},
      {R"({"finish": {"rate": 1}})", "the key \"finish.rate\" is unknown"},
  };
  for (const auto& [text, part] : bad) {
    CAPTURE(text);
    check_refused(part, [text = text] { recipe_from_json(json::parse(text), "recipe.json"); });
  }
}

TEST_CASE("differences are named in words; files are compared by content, not by path") {
  const Recipe recipe = sample_recipe();
  CHECK(differences(recipe, recipe).empty());
  Recipe other = recipe;
  other.experts = 32;
  other.stage1.refit = false;
  other.layers = {0};
  CHECK(differences(recipe, other) ==
        std::vector<std::string>{"experts: 64 in the run, 32 requested",
                                 "layers: [0,2,5] in the run, [0] requested",
                                 "stage1.refit: true in the run, false requested"});
  Recipe moved = recipe;
  moved.model = "/elsewhere/small";
  moved.text[0] = "/elsewhere/a.txt";
  CHECK(differences(recipe, moved).empty());
  moved.model_fingerprint = "dd";
  CHECK(differences(recipe, moved) ==
        std::vector<std::string>{"model: /models/small in the run, /elsewhere/small requested"});
  Recipe edited = recipe;
  edited.text_fingerprints[1] = "dd";
  CHECK(differences(recipe, edited).front().ends_with("has changed since the run began"));
  Recipe retokenized = recipe;
  retokenized.tokenizer_fingerprint = "ee";
  CHECK(differences(recipe, retokenized).empty());  // not recorded by earlier versions
  CHECK(differences(retokenized, recipe) ==
        std::vector<std::string>{"tokenizer: it has changed since the run began"});
  Recipe self = recipe;
  self.text.clear();
  self.text_fingerprints.clear();
  CHECK(differences(self, recipe).front().starts_with("text: self in the run, "));
}

TEST_CASE("lists of layers are written and read") {
  CHECK(parse_layers("all", 3) == std::vector<int>{0, 1, 2});
  CHECK(parse_layers("none", 3).empty());
  CHECK(parse_layers("0-3,7", 8) == std::vector<int>{0, 1, 2, 3, 7});
  CHECK(parse_layers("5,2,2-3", 8) == std::vector<int>{2, 3, 5});
  for (const char* text : {"", "x", "1,", ",1", "1-", "-1", "3-1", "1 2", "0x1", "1--2"}) {
    CAPTURE(text);
    check_refused("is not a list of layers. | Write all, none, or numbers", [&] { parse_layers(text, 8); });
  }
  for (const char* text : {"8", "0-8", "7,99"}) {
    CAPTURE(text);
    check_refused("the model has 8 layers. | Layers count from 0 to 7.", [&] { parse_layers(text, 8); });
  }
}

TEST_CASE(
    "the remainder of a division into slices joins the shared set; experts have at least eight neurons") {
  CHECK(default_experts(512) == 64);
  CHECK(default_experts(11008) == 64);
  CHECK(default_experts(172) == 16);
  CHECK(default_experts(8) == 1);
  Recipe for_class;
  for_class.target = "glm4moe";
  CHECK(default_experts(Recipe(), 1536, 30) == 64);
  CHECK(default_experts(for_class, 1536, 30) == 48);  // 32 neurons
  CHECK(default_experts(for_class, 11008, 30) == 43);
  CHECK(default_experts(for_class, 14336, 30) == 64);
  CHECK(default_experts(for_class, 13696, 30) == 64);  // 4 x 107 x 32
  CHECK(default_experts(for_class, 172, 30) == 16);    // no multiple of 32 divides it
  // llama.cpp must be able to run all experts at once where no layer can be dense instead.
  for_class.target = "granitemoeshared";
  CHECK(default_experts(for_class, 1536, 30) == 24);
  CHECK(default_experts(for_class, 1536, 6) == 48);
  for_class.shared = 0;
  CHECK(default_experts(for_class, 1536, 30) == 12);
  for_class.shared = -1;
  for_class.target = "mixtral";
  CHECK(default_experts(for_class, 1536, 30) == 12);
  CHECK(default_shared(64) == 16);
  for (const auto& [neurons, experts, shared] : {std::tuple{512, 64, 16}, {172, 16, 4}, {100, 7, 0}}) {
    const SliceSizes sizes = slice_sizes(neurons, experts, shared);
    CHECK(sizes.shared_neurons + sizes.expert_neurons * (experts - shared) == neurons);
    CHECK(sizes.expert_neurons == neurons / experts);
  }
  CHECK(slice_sizes(172, 16, 4).shared_neurons == 52);
}

TEST_CASE("a model in a cache of the Hub is called by its name, not by its commit") {
  Recipe recipe;
  recipe.model = "/models/tiny";
  CHECK(recipe.model_name() == "tiny");
  recipe.model = "/cache/hub/models--org--Tiny-Llama/snapshots/0123abc";
  CHECK(recipe.model_name() == "Tiny-Llama");
  recipe.model = "/cache/hub/models--gpt2/snapshots/0123abc";
  CHECK(recipe.model_name() == "gpt2");
  recipe.model = "/snapshots/0123abc";
  CHECK(recipe.model_name() == "0123abc");
}
