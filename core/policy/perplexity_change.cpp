#include "policy/perplexity_change.h"

#include <cmath>

#include <fmt/format.h>

#include "base/format.h"

namespace ladimo {

double perplexity_ratio(const TradeoffTable& table, const PolicyNumbers& predicted) {
  return predicted.perplexity / std::exp(table.dense_nll);
}

std::string change_in_words(double ratio) {
  const double percent = 100 * (ratio - 1);
  return fmt::format("{}{} %", percent < 0 ? "−" : "+", format_number(std::abs(percent)));
}

}  // namespace ladimo
