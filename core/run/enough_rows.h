// How many of its rows (tokens) each part of stage 1 uses. More would hardly change the result. The parts
// take as many, and the estimates of a plan count as many.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ladimo {

/// Energies and norms of the hidden neurons.
inline constexpr std::int64_t rows_for_statistics = 16384;
/// Choices between routers and between compensations, and the means of what is skipped.
inline constexpr std::int64_t rows_for_choices = 8192;

/// The fit of a router with `inputs` inputs.
inline std::int64_t rows_for_router(std::int64_t inputs) { return 256 * inputs; }

/// At how many of `thresholds` thresholds each of `rows` rows enters the refit: as few as give eight
/// equations for each of `unknowns` unknowns. The ridge holds the solution where there are fewer.
inline std::int64_t thresholds_of_row(std::int64_t rows, std::int64_t unknowns, std::int64_t thresholds) {
  return std::clamp<std::int64_t>((8 * unknowns + rows - 1) / rows, 1, thresholds);
}

}  // namespace ladimo
