// How far two lists of numbers vary together.
#pragma once

#include <optional>
#include <span>

namespace ladimo {

/// Pearson's correlation of two lists of the same length; nothing where one of them does not vary.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b);

/// Spearman's: that of the ranks, equal values sharing their mean rank.
std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace ladimo
