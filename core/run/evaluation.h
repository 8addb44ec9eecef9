// The result of `ladimo eval`.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "run/seen_shares.h"

namespace ladimo {

class JsonFields;

/// The percentiles of the single tokens' KL that are recorded.
inline constexpr std::array kl_percents = {50, 95, 99, 100};
/// One value for each of `kl_percents`, nats per token.
using KlPercentiles = std::array<double, kl_percents.size()>;

/// A model's predictions on a text, compared with those of its dense original.
struct TextScores {
  std::int64_t tokens = 0;         // scored tokens: W - 1 per window
  double nll = 0, perplexity = 0;  // nats per token; exp(nll)
  bool compares = true;            // false: there is no dense original, and the numbers below mean nothing
  double dense_nll = 0, dense_perplexity = 0;
  double kl = 0;  // mean KL(dense || converted), nats per token
  KlPercentiles kl_percentiles{};
  double same_top = 0, same_top_se = 0;  // share of equal most likely tokens, sqrt(p (1 - p) / (n - 1))
  double kl_se = 0;  // standard error of kl over windows, because tokens of one window are alike
};

/// Returns {tokens, nll, perplexity, dense_nll, dense_perplexity, kl, kl_se, kl_percentiles{50, 95, 99, 100},
/// same_top, same_top_se}. Everything from dense_nll on is null when the scores do not compare.
nlohmann::json to_json(const TextScores& scores);
/// Reads what to_json() writes. Throws Refusal that names the key.
TextScores text_scores_from_json(const JsonFields& fields);

nlohmann::json percentiles_to_json(const KlPercentiles& percentiles);
KlPercentiles percentiles_from_json(const JsonFields& fields);

/// Which text was scored.
enum class EvaluatedText {
  checking,  // the run's second held-out split, which its tables were not made from
  named,     // files that the person named
};
/// Returns "checking" or "text".
const char* to_string(EvaluatedText text);
/// Reads the key `split`. Throws Refusal for any other value.
EvaluatedText evaluated_text_from_json(const JsonFields& fields);

/// The part of an evaluation that scores a text.
struct TextEvaluation {
  TextScores scores;                // over all files
  double activated_parameters = 0;  // per token, counted from what ran
  double activated_fraction = 0;    // share of the dense model's activated parameters
  double ffn_activated = 0;         // share of the dense model's FFN parameters
  EvaluatedText split = EvaluatedText::checking;
  /// How much of the scored text the run has seen. For its own checking split `seen` is what is also among
  /// its calibration tokens.
  SeenShares seen;
  /// Scored files of which the run has seen a notable share. The scores are too good there.
  std::vector<std::filesystem::path> calibrated_on;
  std::int64_t window = 0;
  std::vector<double> mean_experts;  // per layer: routed experts on per token; 0 for a dense layer

  struct Domain {
    std::filesystem::path text;
    TextScores scores;
    SeenShares seen = {};
  };
  std::vector<Domain> domains;  // one per file
};

/// Shares of questions that are answered correctly, with standard errors sqrt(p (1 - p) / (n - 1)).
struct Accuracy {
  double acc = 0, acc_se = 0;            // by the sum of the choice's log-probabilities
  double acc_norm = 0, acc_norm_se = 0;  // by that sum over the choice's length in characters
};

/// The answers of two models to the same questions.
struct PairedAnswers {
  std::int64_t lost = 0;    // questions that only the dense original answers right
  std::int64_t gained = 0;  // questions that only the model answers right

  /// Standard error of the difference of the accuracies over `n` questions. It is smaller than those of the
  /// accuracies, because both models find the same questions hard.
  double difference_se(std::int64_t n) const;
  /// The probability of a difference at least as large between models that are equally good: McNemar's exact
  /// test, two-sided.
  double p() const;
};

struct TaskResult {
  std::string task;
  std::int64_t n = 0;             // number of questions
  Accuracy model;                 // under the policy
  std::optional<Accuracy> dense;  // the dense original, if there is one
  SeenShares seen = {};           // of the questions with their right answers
  std::optional<PairedAnswers> paired = {},
                               paired_norm = {};  // by acc and by acc_norm, with a dense original
  std::filesystem::path file = {};                // the questions
};

/// Returns {task, file, n, acc, acc_se, acc_norm, acc_norm_se, dense_acc, dense_acc_se, dense_acc_norm,
/// dense_acc_norm_se, paired {lost, gained, difference_se, p}, paired_norm, and the shares}. What compares
/// is null without a dense original.
nlohmann::json to_json(const TaskResult& result);
/// Reads what to_json() writes. Throws Refusal that names the key.
TaskResult task_result_from_json(const JsonFields& fields);

struct Evaluation {
  std::optional<TextEvaluation> text;  // absent where only tasks were answered
  std::vector<TaskResult> tasks;
};

/// Returns the keys of TextScores, activated_parameters, activated_fraction, ffn_activated, split,
/// calibrated_on, window, mean_experts, seen_share, calibrated_share, held_out_share, domains[{text, the
/// shares, and the keys of TextScores}], tasks[TaskResult]. A share that is not known is null. Without a text
/// `tokens` is 0, calibrated_on and domains are empty, and the rest is null.
nlohmann::json to_json(const Evaluation& evaluation);
/// Reads what to_json() writes. Throws Refusal that names the key.
Evaluation evaluation_from_json(const nlohmann::json& json);

}  // namespace ladimo
