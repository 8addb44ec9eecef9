#include "evaluate/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace ladimo {
namespace {

/// Interpolates linearly between the two nearest ranks, like NumPy and torch.quantile.
double percentile(const std::vector<float>& sorted, double percent) {
  const double rank = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(static_cast<double>(sorted[below]), static_cast<double>(sorted[above]),
                   rank - std::floor(rank));
}

/// The standard error of the mean, from the means of parts of equal size; 0 for a single part.
double standard_error(const std::vector<double>& means) {
  const auto n = static_cast<double>(means.size());
  if (means.size() < 2) return 0;
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / n;
  double squares = 0;
  for (const double value : means) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (n - 1) / n);
}

}  // namespace

TextScores summarise(const Scores& scores, std::size_t policy, std::optional<std::int32_t> source) {
  const PolicyScores& p = scores.policies[policy];
  const auto per_window = static_cast<std::size_t>(scores.window - 1);
  TextScores result;
  std::vector<float> kl;
  std::vector<double> window_kl;
  double same = 0;
  for (std::size_t w = 0; w < scores.source.size(); ++w) {
    if (source && scores.source[w] != *source) continue;
    const double before = result.kl;
    for (std::size_t i = w * per_window; i < (w + 1) * per_window; ++i) {
      result.nll += p.nll[i];
      result.dense_nll += scores.dense_nll[i];
      result.kl += p.kl[i];
      same += p.same[i];
      kl.push_back(p.kl[i]);
    }
    window_kl.push_back((result.kl - before) / static_cast<double>(per_window));
  }
  result.tokens = static_cast<std::int64_t>(kl.size());
  if (kl.empty()) return result;
  const auto n = static_cast<double>(kl.size());
  result.nll /= n;
  result.dense_nll /= n;
  result.kl /= n;
  result.perplexity = std::exp(result.nll);
  result.dense_perplexity = std::exp(result.dense_nll);
  result.same_top = same / n;
  result.same_top_se = std::sqrt(result.same_top * (1 - result.same_top) / std::max(1.0, n - 1));
  result.kl_se = standard_error(window_kl);
  std::sort(kl.begin(), kl.end());
  for (std::size_t i = 0; i < kl_percents.size(); ++i)
    result.kl_percentiles[i] = percentile(kl, kl_percents[i]);
  return result;
}

PolicyNumbers measured_numbers(const TextScores& text, const PolicyScores& scores,
                               const ModelConfig& config) {
  double ffn = 0;
  for (const double parameters : scores.ffn_parameters) ffn += parameters;
  const double dense_ffn = static_cast<double>(config.ffn_parameters_per_layer() * config.layers);
  const double dense = static_cast<double>(config.activated_parameters());
  PolicyNumbers numbers;
  numbers.kl = text.kl;
  numbers.perplexity = text.perplexity;
  const double left_out =
      std::accumulate(scores.attention_left_out.begin(), scores.attention_left_out.end(), 0.0);
  numbers.activated_parameters = dense - dense_ffn + ffn - left_out;
  numbers.activated_fraction = numbers.activated_parameters / dense;
  numbers.ffn_activated = ffn / dense_ffn;
  return numbers;
}

}  // namespace ladimo
