// The gradient that prices of the Fisher information come from (docs/method.md "Prices").
#pragma once

#include <cstdint>
#include <functional>

#include "base/context.h"
#include "stream/walk.h"

namespace ladimo {

/// Takes `windows` through the dense model and back. Next tokens are sampled from the model's own
/// distribution, and `see` receives every layer in reverse with the gradient of the sum of their
/// log-probabilities. Half the mean square of what a change adds to it, to first order, estimates the KL that
/// the change costs (the true Fisher information). `seed` decides the sample. `passed` is called with the
/// number of windows that have passed a layer, forth or back. Keeps the inputs of all layers.
void walk_sampled_gradient(const WeightSource& source, const Windows& windows, std::uint64_t seed,
                           const std::function<void(const BackwardChunk& chunk)>& see,
                           const std::function<void(std::int64_t windows)>& passed, const Context& context);

}  // namespace ladimo
