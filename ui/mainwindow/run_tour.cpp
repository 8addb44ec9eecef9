#include "ui/mainwindow/run_tour.h"

#include <QObject>

namespace ladimo::ui {

std::vector<TourStop> stops_of_run(const QWidget& run) {
  const auto named = [&run](const char* name) { return run.findChild<QWidget*>(QLatin1String(name)); };
  return {
      {QObject::tr("Every row is a layer"),
       QObject::tr(
           "A layer runs only what a token needs: some experts, neurons and inputs. Its policy says which. "
           "Select a row to look into a layer."),
       named("layer_table")},
      {QObject::tr("What the router does"),
       QObject::tr(
           "The histogram shows the layer's routing weights. What is right of the line runs. Drag the line "
           "to change only this layer."),
       named("routing_plot")},
      {QObject::tr("One slider for all layers"),
       QObject::tr("To the right the model gets cheaper, to the left more accurate. The line below predicts "
                   "what that costs, and Measure checks it. Undo reverts each step."),
       named("tradeoff")},
      {QObject::tr("Evaluate and export"),
       QObject::tr("Evaluate compares the converted model with the original. Export writes it for "
                   "transformers or llama.cpp. F1, or a question mark, explains the panel that you use."),
       named("breadcrumb")}};
}

}  // namespace ladimo::ui
