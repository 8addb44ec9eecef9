#include "run/recipe.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/format.h"
#include "base/json_members.h"
#include "checkpoint/hub_cache.h"

namespace ladimo {

template <>
struct Members<Stage1> {
  static constexpr std::tuple all{Member{"energy_order", &Stage1::energy_order},
                                  Member{"coactivation", &Stage1::coactivation},
                                  Member{"activation_share", &Stage1::activation_share},
                                  Member{"feature_tokens", &Stage1::feature_tokens},
                                  Member{"router_ridge", &Stage1::router_ridge},
                                  Member{"router_ranks", &Stage1::router_ranks},
                                  Member{"router_bias", &Stage1::router_bias},
                                  Member{"top_k", &Stage1::top_k},
                                  Member{"offsets", &Stage1::offsets},
                                  Member{"compensation", &Stage1::compensation},
                                  Member{"levels", &Stage1::levels},
                                  Member{"elastic", &Stage1::elastic},
                                  Member{"refit", &Stage1::refit},
                                  Member{"refit_ridge", &Stage1::refit_ridge},
                                  Member{"distil", &Stage1::distil},
                                  Member{"epochs", &Stage1::epochs},
                                  Member{"batch", &Stage1::batch},
                                  Member{"learning_rate", &Stage1::learning_rate},
                                  Member{"validation_share", &Stage1::validation_share},
                                  Member{"early_stopping", &Stage1::early_stopping},
                                  Member{"second_sweep", &Stage1::second_sweep}};
};

template <>
struct Members<Finish> {
  static constexpr std::tuple all{Member{"use", &Finish::use},
                                  Member{"epochs", &Finish::epochs},
                                  Member{"batch", &Finish::batch},
                                  Member{"block", &Finish::block},
                                  Member{"learning_rate", &Finish::learning_rate},
                                  Member{"shift", &Finish::shift},
                                  Member{"slope", &Finish::slope}};
};

/// All members of a recipe but its text, which may be "self".
template <>
struct Members<Recipe> {
  static constexpr std::tuple all{Member{"model", &Recipe::model},
                                  Member{"model_fingerprint", &Recipe::model_fingerprint},
                                  Member{"tokenizer_fingerprint", &Recipe::tokenizer_fingerprint},
                                  Member{"text_fingerprints", &Recipe::text_fingerprints},
                                  Member{"tokens", &Recipe::tokens},
                                  Member{"held_out_tokens", &Recipe::held_out_tokens},
                                  Member{"window", &Recipe::window},
                                  Member{"experts", &Recipe::experts},
                                  Member{"shared", &Recipe::shared},
                                  Member{"layers", &Recipe::layers},
                                  Member{"target", &Recipe::target},
                                  Member{"seed", &Recipe::seed},
                                  Member{"sensitivity", &Recipe::sensitivity},
                                  Member{"recalibrate", &Recipe::recalibrate},
                                  Member{"stream", &Recipe::stream},
                                  Member{"compute", &Recipe::compute}};
};

namespace {

/// Refuses invalid values of keys that are given.
class Rules {
 public:
  explicit Rules(const JsonFields& fields) : fields_(fields) {}

  void require(bool holds, std::string_view key, std::string_view complaint) const {
    if (fields_.has(key) && !holds) fields_.refuse(key, complaint);
  }

 private:
  const JsonFields& fields_;
};

Stage1 stage1_from_json(const JsonFields& fields, Stage1 stage1) {
  fields.only(keys_of_members<Stage1>());
  read_given_members(fields, stage1);
  const Rules rules(fields);
  const auto share = [](double value) { return value > 0 && value < 1; };
  rules.require(share(stage1.activation_share), "activation_share", "is not between 0 and 1");
  rules.require(stage1.feature_tokens >= 1, "feature_tokens", "is less than 1");
  rules.require(stage1.router_ridge >= 0, "router_ridge", "is negative");
  rules.require(std::ranges::all_of(stage1.router_ranks, [](int rank) { return rank >= 1; }), "router_ranks",
                "must hold ranks of at least 1");
  rules.require(!stage1.levels.empty() && std::ranges::all_of(stage1.levels, share) &&
                    std::ranges::adjacent_find(stage1.levels, std::greater_equal()) == stage1.levels.end(),
                "levels", "must hold activity levels between 0 and 1 that rise");
  rules.require(stage1.refit_ridge >= 0, "refit_ridge", "is negative");
  rules.require(stage1.epochs >= 0, "epochs", "is negative");
  rules.require(stage1.batch >= 1, "batch", "is less than 1");
  rules.require(stage1.learning_rate > 0, "learning_rate", "is not above 0");
  rules.require(share(stage1.validation_share), "validation_share", "is not between 0 and 1");
  return stage1;
}

Finish finish_from_json(const JsonFields& fields, Finish finish) {
  fields.only(keys_of_members<Finish>());
  read_given_members(fields, finish);
  const Rules rules(fields);
  rules.require(finish.use == "auto" || finish.use == "on" || finish.use == "off", "use",
                "is not one of auto, on, off");
  rules.require(finish.epochs >= 1, "epochs", "is less than 1");
  rules.require(finish.batch >= 1, "batch", "is less than 1");
  rules.require(finish.block >= -1, "block", "is less than -1");
  rules.require(finish.learning_rate > 0, "learning_rate", "is not above 0");
  rules.require(finish.slope > 0, "slope", "is not above 0");
  return finish;
}

/// Reads the key `text`: "self" or a list of files.
void read_text(const JsonFields& fields, Recipe& recipe) {
  if (!fields.has("text")) return;
  recipe.text.clear();
  if (fields.at("text") == "self") return;
  for (const std::string& file : fields.texts("text")) recipe.text.emplace_back(file);
  if (recipe.text.empty()) fields.refuse("text", "is empty; it names files, or is \"self\"");
}

void check_experts(const Rules& rules, const Recipe& recipe) {
  rules.require(recipe.experts >= 1, "experts", "is less than 1");
  rules.require(recipe.shared >= 0, "shared", "is negative");
  rules.require(recipe.experts < 1 || recipe.shared < recipe.experts, "shared",
                "leaves no expert to be routed; it must be less than experts");
}

void check_layers(const Rules& rules, const Recipe& recipe) {
  const bool rising =
      std::ranges::adjacent_find(recipe.layers, std::greater_equal<int>()) == recipe.layers.end();
  rules.require(rising && (recipe.layers.empty() || recipe.layers.front() >= 0), "layers",
                "must hold rising layer numbers");
}

Recipe parse(const nlohmann::json& json, const std::filesystem::path& path, Recipe recipe) {
  const JsonFields fields(json, "recipe", path);
  auto keys = keys_of_members<Recipe>();
  keys.insert(keys.end(), {"text", "stage1", "finish"});
  fields.only(keys);
  read_given_members(fields, recipe);
  read_text(fields, recipe);
  if (fields.has("stage1")) recipe.stage1 = stage1_from_json(fields.object("stage1"), recipe.stage1);
  if (fields.has("finish")) recipe.finish = finish_from_json(fields.object("finish"), recipe.finish);
  const Rules rules(fields);
  rules.require(recipe.tokens >= 1, "tokens", "is less than 1");
  rules.require(recipe.held_out_tokens >= 1, "held_out_tokens", "is less than 1");
  rules.require(recipe.window >= 2, "window", "is less than 2");
  check_experts(rules, recipe);
  check_layers(rules, recipe);
  if (!recipe.target.empty()) moe_class_named(recipe.target);
  rules.require(
      recipe.sensitivity == "auto" || recipe.sensitivity == "measured" || recipe.sensitivity == "estimated",
      "sensitivity", "is not one of auto, measured, estimated");
  rules.require(recipe.stream == "float32" || recipe.stream == "bfloat16", "stream",
                "is neither float32 nor bfloat16");
  rules.require(recipe.compute == "auto" || recipe.compute == "fp32" || recipe.compute == "bf16", "compute",
                "is not one of auto, fp32, bf16");
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
          fmt::format("{}{}: {} in the run, {} requested", prefix, key, in_words(value), in_words(other)));
  }
}

}  // namespace

std::string Recipe::model_name() const {
  const std::string cached = hub_name_of(model);
  if (!cached.empty()) return cached.substr(cached.rfind('/') + 1);
  return lower_case(model.extension().string()) == ".gguf" ? model.stem().string()
                                                           : model.filename().string();
}

nlohmann::json to_json(const Recipe& recipe) {
  auto json = members_to_json(recipe);
  json["text"] = recipe.self_text() ? nlohmann::json("self") : json_of(recipe.text);
  json["stage1"] = members_to_json(recipe.stage1);
  json["finish"] = members_to_json(recipe.finish);
  return json;
}

Recipe made_for(const MoeClass& target, Recipe recipe) {
  recipe.target = target.name;
  recipe.stage1.router_ranks.clear();
  recipe.stage1.router_bias = target.selection_bias;
  recipe.stage1.top_k = true;
  recipe.stage1.offsets = false;
  recipe.stage1.compensation = false;
  if (!target.shared && recipe.shared == -1) recipe.shared = 0;
  return recipe;
}

Recipe recipe_from_json(const nlohmann::json& json, const std::filesystem::path& path, Recipe base) {
  return parse(json, path, std::move(base));
}

std::vector<std::string> differences(const Recipe& in_run, const Recipe& asked) {
  auto ours = to_json(in_run);
  auto theirs = to_json(asked);
  std::vector<std::string> lines;
  // The content of a file decides, not its path: a moved checkpoint is the same checkpoint.
  const auto compare_content = [&](const char* source, const char* fingerprint) {
    const bool known = !ours[fingerprint].empty() && ours[fingerprint] != "";
    const bool changed = ours[fingerprint] != theirs[fingerprint];
    const auto was = ours[source], is = theirs[source];
    if (changed && was == is)
      lines.push_back(fmt::format("{}: {} has changed since the run began", source, in_words(was)));
    else if (was != is && (changed || !known))
      lines.push_back(fmt::format("{}: {} in the run, {} requested", source, in_words(was), in_words(is)));
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
                  "Write all, none, or numbers and ranges such as 0-3,7.");
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
  if (text == "none") return chosen;
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
  // Fine experts are better than few big ones (docs/experiments.md), but a slice must stay worth routing.
  int experts = 64;
  while (experts > 1 && intermediate_size / experts < 8) experts /= 2;
  return experts;
}

int default_experts(const Recipe& recipe, std::int64_t intermediate_size, std::int64_t layers) {
  if (recipe.target.empty()) return default_experts(intermediate_size);
  constexpr int step = 32, most = 64, least = 8;
  const MoeClass& target = moe_class_named(recipe.target);
  const bool all_at_once = target.in_gguf.dense == DenseLayers::none;
  const bool shared = target.shared && recipe.shared != 0;
  const int at_once = most_experts_in_gguf(target, std::max<std::int64_t>(layers, 1), shared);
  for (int experts = most; experts >= least; --experts) {
    const int always = recipe.shared >= 0 ? recipe.shared : default_shared(experts);
    const int routed = target.shared ? experts - always : experts;
    if (intermediate_size % (step * experts) == 0 && (!all_at_once || routed <= at_once)) return experts;
  }
  return default_experts(intermediate_size);
}

int default_shared(int experts) { return experts / 4; }

SliceSizes slice_sizes(std::int64_t neurons, int experts, int shared) {
  const std::int64_t expert_neurons = neurons / experts;
  return {expert_neurons, neurons - expert_neurons * (experts - shared)};
}

}  // namespace ladimo
