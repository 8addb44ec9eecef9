#include "training/finish.h"

#include <utility>

#include "stream/window_order.h"
#include "training/finish_judge.h"
#include "training/finish_slider.h"

namespace ladimo {
namespace {

// Shares of the step's time: the prices of the slider are known, and training begins.
constexpr double priced_until = 0.1, trained_from = 0.13;

}  // namespace

Trained finish_end_to_end(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                          const Windows& calibration, at::ScalarType storage, const Context& context) {
  const FinishSlider slider(source, moe, recipe, calibration, storage, context.part(0, priced_until));
  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  FinishJudge judge(source, order.judging(calibration), slider);
  judge.remember(moe, context.part(priced_until, trained_from));
  TrainingTask task;
  task.layers.resize(static_cast<std::size_t>(source.config().layers));
  for (const int l : recipe.layers) task.layers[static_cast<std::size_t>(l)] = slider.first_layer(l);
  task.draw = [&](int stretch, Random& random) { return slider.draw(stretch, random); };
  task.parts = FinishSlider::stretches;
  task.hint = "A lower finish.learning_rate in the recipe helps.";
  task.judge = [&](const MoeLayers& now, const Context& judging) { return judge(now, judging); };
  return train_end_to_end(source, std::move(task), recipe, calibration, storage,
                          context.part(trained_from, 1));
}

}  // namespace ladimo
