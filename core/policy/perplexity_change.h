// What a conversion does to perplexity, as a change: a predicted perplexity is that of other text than the
// one on which perplexity is measured, so the two numbers must not stand beside each other.
#pragma once

#include <string>

#include "policy/policy_file.h"
#include "policy/tradeoff_table.h"

namespace ladimo {

/// How many times the dense model's perplexity the predicted one is.
double perplexity_ratio(const TradeoffTable& table, const PolicyNumbers& predicted);

/// 1.0362 -> "+3.62 %", 0.9 -> "−10.0 %".
std::string change_in_words(double ratio);

}  // namespace ladimo
