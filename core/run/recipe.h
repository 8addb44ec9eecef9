// The recipe (recipe.json): everything that decides the result of a conversion.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/moe_class.h"
#include "text/corpus.h"

namespace ladimo {

/// Settings of stage 1 (docs/method.md "Stage 1, one layer"). Every step can be switched off.
struct Stage1 {
  bool energy_order = true;  // the shared neurons are those of highest energy; off: drawn at random
  bool coactivation = true;  // neurons that are active together share an expert; off: at random
  /// Co-activation features: the share of neurons with the largest |h| |down column| that each token marks.
  double activation_share = 0.05;
  int feature_tokens = 4096;                    // tokens sampled for the features
  double router_ridge = 1e-3;                   // relative to the mean of the diagonal
  std::vector<int> router_ranks = {8, 16, 32};  // hidden units of small routers to try; none: linear alone
  bool router_bias = true;   // off: the router of the fit has none, and hidden units are not tried
  bool top_k = false;        // every token runs equally many experts; off: those above a threshold
  bool offsets = true;       // something replaces skipped experts; off: nothing, as in MoE model classes
  bool compensation = true;  // b_i = E[E_i(x) | skipped] where it pays for its parameters; off: one bias
  std::vector<double> levels = {0.15, 0.35, 0.55, 0.8};  // routed activity levels that refit sums over
  bool elastic = true;  // trained for all activity levels; off: for `levels` alone
  bool refit = true;
  double refit_ridge = 1e-2;
  bool distil = true;
  int epochs = 2;
  int batch = 1024;                // tokens
  double learning_rate = 0.014;    // times the root mean square of each weight
  double validation_share = 0.05;  // share of the rows, held back for early stopping
  bool early_stopping = true;      // keep the best epoch on validation rows; off: the last
  bool second_sweep = false;       // all layers refitted, half on the converted model's own inputs
};

/// Settings of the finish (docs/method.md "The finish, all layers" and "The finish, block by block").
struct Finish {
  std::string use = "auto";      // "on", "off", "auto": where memory and time allow
  int epochs = 3;                // passes through the calibration tokens
  int batch = 2048;              // tokens
  int block = -1;                // layers trained at a time; 0: all together; -1 until resolved
  double learning_rate = 0.004;  // times each weight's root mean square and the pace of its kind
  bool shift = true;             // gate, up and down move with the share of experts that run
  double slope = 0.3;  // width of the routers' gradient, in standard deviations of the routing weights
};

struct Recipe {
  std::filesystem::path model;  // folder of the checkpoint, as normal_path() gives it
  std::string model_fingerprint;
  std::string tokenizer_fingerprint;        // empty in runs of earlier versions, which did not record it
  std::vector<std::filesystem::path> text;  // empty: the model writes its own (`--text self`)
  std::vector<std::string> text_fingerprints;
  std::int64_t tokens = 100000;          // calibration tokens
  std::int64_t held_out_tokens = 24576;  // two splits of half as many each
  std::int64_t window = 0;               // 0 until resolved: min(max_positions, 2048)
  int experts = 0;                       // number of equal slices N; 0 until resolved
  int shared = -1;                       // number of slices that are always on; -1 until resolved
  std::vector<int> layers;               // converted layers, rising; none: only cuts of inputs and neurons
  std::string target;  // the MoE class that the run is made for (policy/moe_class.h); empty: none
  std::uint64_t seed = 0;
  std::string sensitivity = "auto";  // "measured", "estimated", "auto"
  /// Activity is counted on the converted model's own trajectory; off: on the dense model's.
  bool recalibrate = true;
  std::string stream = "float32";  // residual streams: "float32", or "bfloat16" for half the memory and disk
  /// The dtype of the large products of distillation and finish: "fp32", or "bf16" with weights and
  /// sums in fp32. "auto" until resolved: bf16 where the machine multiplies it much faster.
  std::string compute = "auto";
  Stage1 stage1;
  Finish finish;

  bool self_text() const { return text.empty(); }
  int routed() const { return experts - shared; }
  /// The name of the model: that of its folder, or of its GGUF file without the ending. In a cache of the
  /// Hugging Face Hub (models--ORG--NAME/snapshots/ COMMIT) the folder is called after a commit, so it is
  /// NAME there.
  std::string model_name() const;
  /// Tokens of the three splits: half of the held-out ones make the tables, half check predictions.
  SplitSize splits() const { return {tokens, held_out_tokens / 2, held_out_tokens / 2}; }
};

nlohmann::json to_json(const Recipe& recipe);
/// Reads recipe.json or the settings of `--recipe`. Keys that are missing keep the value of `base`. Throws
/// Refusal that names a key which is unknown or has a bad value.
Recipe recipe_from_json(const nlohmann::json& json, const std::filesystem::path& path, Recipe base = {});

/// Returns the recipe with the settings that make a run which `target` can express: a linear router, with a
/// bias only where the class has one, top-k, and nothing in place of skipped experts. No expert is shared
/// where the class has none that always runs, unless the recipe says how many are.
Recipe made_for(const MoeClass& target, Recipe recipe);

/// One line per key in which the two differ ("experts: 64 in the run, 32 asked").
std::vector<std::string> differences(const Recipe& in_run, const Recipe& asked);

/// Parses "all", "none" or a list such as "0-3,7". Throws Refusal when a layer is out of range or the text is
/// not a list.
std::vector<int> parse_layers(const std::string& text, std::int64_t layers);

/// The default number of slices: 64 where each then has 8 neurons or more, else fewer.
int default_experts(std::int64_t intermediate_size);
/// The default for a recipe and a model of so many layers. A run that is made for a format has the largest
/// number from 8 to 64 that gives every expert a multiple of 32 neurons, as llama.cpp takes 32 weights of a
/// row at a time, and that llama.cpp can run all at once where the format has no dense layers instead.
int default_experts(const Recipe& recipe, std::int64_t intermediate_size, std::int64_t layers);
/// The default number of shared slices: a quarter of `experts`.
int default_shared(int experts);

/// How the neurons of an FFN are split: routed experts of equal size, and all other neurons shared.
struct SliceSizes {
  std::int64_t expert_neurons = 0;
  std::int64_t shared_neurons = 0;
};
SliceSizes slice_sizes(std::int64_t neurons, int experts, int shared);

}  // namespace ladimo
