// What serve answers to an evaluation, as values.
#pragma once

#include <map>
#include <vector>

#include "ui/models/run_data.h"

namespace ladimo::ui {

/// The numbers of one text, or of all.
struct TextScore {
  QString text;  // the file's name; empty: all of them
  qint64 tokens = 0;
  double kl = 0;
  double perplexity = 0;
  double dense_perplexity = 0;
  double same_top = 0;
  double same_top_se = 0;
  std::map<int, double> kl_percentiles;  // percentile -> nats
};

struct EvaluationResult {
  Measurement measurement;       // over all texts
  std::vector<TextScore> texts;  // each of them
};

/// Throws Refusal when `json` is not the result of an evaluation of a run, as ServeClient gives it.
EvaluationResult read_evaluation(const QByteArray& json);
/// Puts the times of the converted model into `numbers`. Throws Refusal when `json` is not what serve answers
/// to a bench.
void read_times(const QByteArray& json, PolicyNumbers& numbers);
/// The measurement's numbers over all its texts.
TextScore score_of(const Measurement& measurement);

}  // namespace ladimo::ui
