#include "run/task_words.h"

#include <cmath>

#include <fmt/format.h>

namespace ladimo {
namespace {

constexpr double level = 0.05;  // a smaller p shows a difference

TaskScore score_of(const TaskResult& result, double Accuracy::*share, double Accuracy::*se,
                   const std::optional<PairedAnswers>& paired) {
  const auto right = [&](const Accuracy& accuracy) { return RightShare{accuracy.*share, accuracy.*se}; };
  TaskScore score{result.task, share == &Accuracy::acc_norm, result.n, right(result.model), {}};
  if (result.dense && paired) score.before = TaskScore::Before{right(*result.dense), *paired};
  return score;
}

/// Whether any question is answered right by only one of both models. Precondition: score.before.
bool answers_differ(const TaskScore& score) {
  return score.before->paired.lost + score.before->paired.gained > 0;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

std::array<TaskScore, 2> task_scores(const TaskResult& result) {
  return {score_of(result, &Accuracy::acc, &Accuracy::acc_se, result.paired),
          score_of(result, &Accuracy::acc_norm, &Accuracy::acc_norm_se, result.paired_norm)};
}

std::string chosen_by(const TaskScore& score) {
  return score.over_length ? "probability per character" : "probability";
}

std::string share_text(const RightShare& share) {
  return fmt::format("{:.1f} ± {:.1f}", 100 * share.share, 100 * share.se);
}

std::string points(double difference) {
  const double tenths = std::round(1000 * difference);
  if (tenths == 0) return "0.0";
  return fmt::format("{}{:.1f}", tenths < 0 ? "−" : "+", std::abs(tenths) / 10);
}

std::string difference_text(const TaskScore& score) {
  if (!score.before) return {};
  if (!answers_differ(score)) return points(0);  // the standard error would be 0 too, which is not known
  return fmt::format("{} ± {:.1f}", points(score.difference()),
                     100 * score.before->paired.difference_se(score.n));
}

std::string p_text(const TaskScore& score) {
  if (!score.before) return {};
  const double p = score.before->paired.p();
  if (p < 0.001) return "< 0.001";
  return p < 0.01 ? fmt::format("{:.3f}", p) : fmt::format("{:.2f}", p);
}

std::string verdict(const TaskScore& score) {
  if (!score.before) return {};
  if (!answers_differ(score)) return "both models answer the same questions correctly";
  if (score.before->paired.p() >= level) return "no significant difference";
  return score.difference() < 0 ? "the converted model is worse" : "the converted model is better";
}

std::string sentence(const TaskScore& score) {
  const auto subject = score.task + (score.over_length ? " per character: " : ": ");
  if (!score.before) return subject + share_text(score.model) + " %";
  if (!answers_differ(score))
    return fmt::format("{}{}; {}", subject, percent(score.model.share), verdict(score));
  const auto p = p_text(score);
  return fmt::format("{}{} → {}, {} points; {} (p {})", subject, percent(score.before->dense.share),
                     percent(score.model.share), difference_text(score), verdict(score),
                     p.starts_with('<') ? p : "= " + p);
}

std::string seen_remark(const TaskResult& result) {
  if (!is_notable(result.seen.seen)) return {};
  return fmt::format("{} of the questions of {} are in the text that the run was calibrated on.",
                     share_in_words(*result.seen.seen), result.task);
}

}  // namespace ladimo
