// Training of all converted layers together on the logits of the dense model.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "base/context.h"
#include "base/random.h"
#include "evaluate/scores.h"
#include "policy/policy_file.h"
#include "run/recipe.h"
#include "training/elastic_student.h"

namespace ladimo {

/// What to train, for which policies, and how that is judged.
struct TrainingTask {
  ConvertedLayers layers;  // of the whole model, as they are before
  /// A policy for some windows of a batch, without cuts. `part` counts from 0 to parts - 1 in turn. The
  /// windows are weighted by the inverse of its predicted KL.
  std::function<Policy(int part, Random& random)> draw;
  int parts = 1;
  /// How much worse layers are than those before, on validation windows. Below 0 is better.
  std::function<double(const MoeLayers& layers, const Context& context)> judge;
  const char* hint = "";  // what to do where training diverges
};

struct Trained {
  std::map<int, MoeWeights> layers;     // the best on validation windows; empty where nothing improved
  std::vector<double> held_out_losses;  // what `judge` says after every epoch
};

/// Trains gate, up, down, compensation and router of all converted layers at once, with Adam on KL(dense ||
/// converted) of the next-token distributions, for `recipe.finish.epochs` passes through the training
/// windows. An epoch that does not get better is taken back, and training goes on in smaller steps. Weights
/// are rounded to `storage` before they are judged. Holds the whole model in memory. The same seed gives the
/// same bytes. Throws Interrupted.
Trained train_end_to_end(const WeightSource& source, TrainingTask task, const Recipe& recipe,
                         const Windows& calibration, at::ScalarType storage, const Context& context);

}  // namespace ladimo
