// How far two lists of numbers vary together.
#pragma once

#include <optional>
#include <span>

namespace ladimo {

/// Pearson's correlation of two lists of the same length; absent where one of them does not vary.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b);

/// Spearman's correlation: Pearson's correlation of the ranks. Equal values share their mean rank. Absent
/// where one of the lists does not vary.
std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace ladimo
