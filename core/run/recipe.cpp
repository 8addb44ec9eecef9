#include "run/recipe.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const Stage1& stage1) {
  return {{"energy_order", stage1.energy_order},
          {"coactivation", stage1.coactivation},
          {"activation_share", stage1.activation_share},
          {"feature_tokens", stage1.feature_tokens},
          {"router_ridge", stage1.router_ridge},
          {"router_ranks", stage1.router_ranks},
          {"compensation", stage1.compensation},
          {"levels", stage1.levels},
          {"elastic", stage1.elastic},
          {"refit", stage1.refit},
          {"refit_ridge", stage1.refit_ridge},
          {"distil", stage1.distil},
          {"epochs", stage1.epochs},
          {"batch", stage1.batch},
          {"learning_rate", stage1.learning_rate},
          {"validation_share", stage1.validation_share},
          {"early_stopping", stage1.early_stopping},
          {"second_sweep", stage1.second_sweep}};
}

nlohmann::json to_json(const Finish& finish) {
  return {{"use", finish.use},     {"epochs", finish.epochs},
          {"batch", finish.batch}, {"learning_rate", finish.learning_rate},
          {"shift", finish.shift}, {"slope", finish.slope}};
}

/// Reads keys that are there into what they set, and says what is wrong with their values.
class Settings {
 public:
  explicit Settings(const JsonFields& fields) : fields_(fields) {}

  void read(std::string_view key, double& value) const {
    if (fields_.has(key)) value = fields_.number(key);
  }
  void read(std::string_view key, int& value) const {
    if (fields_.has(key)) value = fields_.small(key);
  }
  void read(std::string_view key, std::int64_t& value) const {
    if (fields_.has(key)) value = fields_.integer(key);
  }
  void read(std::string_view key, bool& value) const {
    if (fields_.has(key)) value = fields_.flag(key);
  }
  void read(std::string_view key, std::string& value) const {
    if (fields_.has(key)) value = fields_.text(key);
  }
  void read(std::string_view key, std::vector<double>& value) const {
    if (fields_.has(key)) value = fields_.numbers(key);
  }
  void read(std::string_view key, std::vector<int>& value) const {
    if (fields_.has(key)) value = fields_.smalls(key);
  }
  void read(std::string_view key, std::vector<std::string>& value) const {
    if (fields_.has(key)) value = fields_.texts(key);
  }
  void require(bool holds, std::string_view key, std::string_view complaint) const {
    if (fields_.has(key) && !holds) fields_.refuse(key, complaint);
  }

 private:
  const JsonFields& fields_;
};

Stage1 stage1_from_json(const JsonFields& fields, Stage1 stage1) {
  fields.only({"energy_order", "coactivation", "activation_share", "feature_tokens", "router_ridge",
               "router_ranks", "compensation", "levels", "elastic", "refit", "refit_ridge", "distil",
               "epochs", "batch", "learning_rate", "validation_share", "early_stopping", "second_sweep"});
  const Settings settings(fields);
  settings.read("energy_order", stage1.energy_order);
  settings.read("coactivation", stage1.coactivation);
  settings.read("activation_share", stage1.activation_share);
  settings.read("feature_tokens", stage1.feature_tokens);
  settings.read("router_ridge", stage1.router_ridge);
  settings.read("router_ranks", stage1.router_ranks);
  settings.read("compensation", stage1.compensation);
  settings.read("levels", stage1.levels);
  settings.read("elastic", stage1.elastic);
  settings.read("refit", stage1.refit);
  settings.read("refit_ridge", stage1.refit_ridge);
  settings.read("distil", stage1.distil);
  settings.read("epochs", stage1.epochs);
  settings.read("batch", stage1.batch);
  settings.read("learning_rate", stage1.learning_rate);
  settings.read("validation_share", stage1.validation_share);
  settings.read("early_stopping", stage1.early_stopping);
  settings.read("second_sweep", stage1.second_sweep);

  const auto share = [](double value) { return value > 0 && value < 1; };
  settings.require(share(stage1.activation_share), "activation_share", "is not between 0 and 1");
  settings.require(stage1.feature_tokens >= 1, "feature_tokens", "is less than 1");
  settings.require(stage1.router_ridge >= 0, "router_ridge", "is negative");
  settings.require(std::ranges::all_of(stage1.router_ranks, [](int rank) { return rank >= 1; }),
                   "router_ranks", "must hold ranks of at least 1");
  settings.require(!stage1.levels.empty() && std::ranges::all_of(stage1.levels, share) &&
                       std::ranges::adjacent_find(stage1.levels, std::greater_equal()) == stage1.levels.end(),
                   "levels", "must hold activity levels between 0 and 1 that rise");
  settings.require(stage1.refit_ridge >= 0, "refit_ridge", "is negative");
  settings.require(stage1.epochs >= 0, "epochs", "is negative");
  settings.require(stage1.batch >= 1, "batch", "is less than 1");
  settings.require(stage1.learning_rate > 0, "learning_rate", "is not above 0");
  settings.require(share(stage1.validation_share), "validation_share", "is not between 0 and 1");
  return stage1;
}

Finish finish_from_json(const JsonFields& fields, Finish finish) {
  fields.only({"use", "epochs", "batch", "learning_rate", "shift", "slope"});
  const Settings settings(fields);
  settings.read("use", finish.use);
  settings.read("epochs", finish.epochs);
  settings.read("batch", finish.batch);
  settings.read("learning_rate", finish.learning_rate);
  settings.read("shift", finish.shift);
  settings.read("slope", finish.slope);
  settings.require(finish.use == "auto" || finish.use == "on" || finish.use == "off", "use",
                   "is none of auto, on, off");
  settings.require(finish.epochs >= 1, "epochs", "is less than 1");
  settings.require(finish.batch >= 1, "batch", "is less than 1");
  settings.require(finish.learning_rate > 0, "learning_rate", "is not above 0");
  settings.require(finish.slope > 0, "slope", "is not above 0");
  return finish;
}

/// "self" or a list of files.
void read_text(const JsonFields& fields, Recipe& recipe) {
  if (!fields.has("text")) return;
  recipe.text.clear();
  if (fields.at("text") == "self") return;
  for (const std::string& file : fields.texts("text")) recipe.text.emplace_back(file);
  if (recipe.text.empty()) fields.refuse("text", "is empty; it names files, or is \"self\"");
}

void read_experts(const Settings& settings, Recipe& recipe) {
  settings.read("experts", recipe.experts);
  settings.read("shared", recipe.shared);
  settings.require(recipe.experts >= 1, "experts", "is less than 1");
  settings.require(recipe.shared >= 0, "shared", "is negative");
  settings.require(recipe.experts < 1 || recipe.shared < recipe.experts, "shared",
                   "leaves no expert to be routed; it must be less than experts");
}

void read_layers(const Settings& settings, Recipe& recipe) {
  settings.read("layers", recipe.layers);
  const bool rising =
      std::ranges::adjacent_find(recipe.layers, std::greater_equal<int>()) == recipe.layers.end();
  settings.require(rising && !recipe.layers.empty() && recipe.layers.front() >= 0, "layers",
                   "must hold rising layer numbers");
}

Recipe parse(const nlohmann::json& json, const std::filesystem::path& path, Recipe recipe) {
  const JsonFields fields(json, "recipe", path);
  fields.only({"model", "model_fingerprint", "tokenizer_fingerprint", "text", "text_fingerprints", "tokens",
               "held_out_tokens", "window", "experts", "shared", "layers", "seed", "sensitivity",
               "recalibrate", "stream", "stage1", "finish"});
  const Settings settings(fields);
  if (fields.has("model")) recipe.model = fields.text("model");
  settings.read("model_fingerprint", recipe.model_fingerprint);
  settings.read("tokenizer_fingerprint", recipe.tokenizer_fingerprint);
  read_text(fields, recipe);
  settings.read("text_fingerprints", recipe.text_fingerprints);
  settings.read("tokens", recipe.tokens);
  settings.require(recipe.tokens >= 1, "tokens", "is less than 1");
  settings.read("held_out_tokens", recipe.held_out_tokens);
  settings.require(recipe.held_out_tokens >= 1, "held_out_tokens", "is less than 1");
  settings.read("window", recipe.window);
  settings.require(recipe.window >= 2, "window", "is less than 2");
  read_experts(settings, recipe);
  read_layers(settings, recipe);
  if (fields.has("seed")) {
    if (!fields.at("seed").is_number_unsigned()) fields.refuse("seed", "is not an integer of at least 0");
    recipe.seed = fields.at("seed").get<std::uint64_t>();
  }
  settings.read("sensitivity", recipe.sensitivity);
  settings.require(
      recipe.sensitivity == "auto" || recipe.sensitivity == "measured" || recipe.sensitivity == "estimated",
      "sensitivity", "is none of auto, measured, estimated");
  settings.read("recalibrate", recipe.recalibrate);
  settings.read("stream", recipe.stream);
  settings.require(recipe.stream == "float32" || recipe.stream == "bfloat16", "stream",
                   "is neither float32 nor bfloat16");
  if (fields.has("stage1")) recipe.stage1 = stage1_from_json(fields.object("stage1"), recipe.stage1);
  if (fields.has("finish")) recipe.finish = finish_from_json(fields.object("finish"), recipe.finish);
  return recipe;
}

std::string in_words(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void add_differences(const nlohmann::json& in_run, const nlohmann::json& asked, const std::string& prefix,
                     std::vector<std::string>& lines) {
  for (const auto& [key, value] : in_run.items()) {
    const auto& other = asked.at(key);
    if (value.is_object())
      add_differences(value, other, prefix + key + ".", lines);
    else if (value != other)
      lines.push_back(
          fmt::format("{}{}: {} in the run, {} asked", prefix, key, in_words(value), in_words(other)));
  }
}

}  // namespace

nlohmann::json to_json(const Recipe& recipe) {
  auto text = nlohmann::json::array();
  for (const auto& file : recipe.text) text.push_back(file.string());
  return {{"model", recipe.model.string()},
          {"model_fingerprint", recipe.model_fingerprint},
          {"tokenizer_fingerprint", recipe.tokenizer_fingerprint},
          {"text", recipe.self_text() ? nlohmann::json("self") : std::move(text)},
          {"text_fingerprints", recipe.text_fingerprints},
          {"tokens", recipe.tokens},
          {"held_out_tokens", recipe.held_out_tokens},
          {"window", recipe.window},
          {"experts", recipe.experts},
          {"shared", recipe.shared},
          {"layers", recipe.layers},
          {"seed", recipe.seed},
          {"sensitivity", recipe.sensitivity},
          {"recalibrate", recipe.recalibrate},
          {"stream", recipe.stream},
          {"stage1", to_json(recipe.stage1)},
          {"finish", to_json(recipe.finish)}};
}

Recipe recipe_from_json(const nlohmann::json& json, const std::filesystem::path& path, Recipe base) {
  return parse(json, path, std::move(base));
}

std::vector<std::string> differences(const Recipe& in_run, const Recipe& asked) {
  auto ours = to_json(in_run);
  auto theirs = to_json(asked);
  std::vector<std::string> lines;
  // What a file holds decides, not where it lies: a moved checkpoint is the same checkpoint.
  const auto compare_content = [&](const char* source, const char* fingerprint) {
    const bool known = !ours[fingerprint].empty() && ours[fingerprint] != "";
    const bool changed = ours[fingerprint] != theirs[fingerprint];
    const auto was = ours[source], is = theirs[source];
    if (changed && was == is)
      lines.push_back(fmt::format("{}: {} has changed since the run began", source, in_words(was)));
    else if (was != is && (changed || !known))
      lines.push_back(fmt::format("{}: {} in the run, {} asked", source, in_words(was), in_words(is)));
    for (const char* key : {source, fingerprint}) ours.erase(key);
  };
  if (in_run.tokenizer_fingerprint.empty()) theirs["tokenizer_fingerprint"] = "";
  if (ours["tokenizer_fingerprint"] != theirs["tokenizer_fingerprint"])
    lines.push_back("tokenizer: it has changed since the run began");
  theirs["tokenizer_fingerprint"] = ours["tokenizer_fingerprint"];
  compare_content("model", "model_fingerprint");
  compare_content("text", "text_fingerprints");
  add_differences(ours, theirs, "", lines);
  return lines;
}

std::vector<int> parse_layers(const std::string& text, std::int64_t layers) {
  std::vector<int> chosen;
  const auto refuse_spelling = [&] {
    throw Refusal(fmt::format("\"{}\" is not a list of layers.", text),
                  "Write all, or numbers and ranges such as 0-3,7.");
  };
  const auto number = [&](std::string_view digits) {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() || value < 0) refuse_spelling();
    if (value >= layers)
      throw Refusal(fmt::format("There is no layer {}: the model has {} layers.", value, layers),
                    fmt::format("Layers count from 0 to {}.", layers - 1));
    return value;
  };
  if (text == "all") {
    for (int layer = 0; layer < layers; ++layer) chosen.push_back(layer);
    return chosen;
  }
  std::string_view rest = text;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    const auto item = rest.substr(0, comma);
    const auto dash = item.find('-');
    const int first = number(item.substr(0, dash));
    const int last = dash == std::string_view::npos ? first : number(item.substr(dash + 1));
    if (last < first) refuse_spelling();
    for (int layer = first; layer <= last; ++layer) chosen.push_back(layer);
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  std::ranges::sort(chosen);
  chosen.erase(std::ranges::unique(chosen).begin(), chosen.end());
  return chosen;
}

int default_experts(std::int64_t intermediate_size) {
  // Fine experts are better than few big ones (docs/method.md "What each step gave"), but a slice must stay
  // worth routing.
  int experts = 64;
  while (experts > 1 && intermediate_size / experts < 8) experts /= 2;
  return experts;
}

int default_shared(int experts) { return experts / 4; }

SliceSizes slice_sizes(std::int64_t neurons, int experts, int shared) {
  const std::int64_t expert_neurons = neurons / experts;
  return {expert_neurons, neurons - expert_neurons * (experts - shared)};
}

}  // namespace ladimo
