#include "ui/panels/report.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <QDate>
#include <QSaveFile>

#include "base/version.h"
#include "policy/perplexity_change.h"
#include "ui/models/division.h"
#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"
#include "ui/models/sentences.h"
#include "ui/models/task_scores_model.h"
#include "ui/models/text_scores_model.h"
#include "ui/panels/panel_text.h"
#include "ui/panels/report_document.h"
#include "ui/plots/frontier_plot.h"
#include "ui/plots/kl_percentiles_plot.h"
#include "ui/plots/measured_plot.h"
#include "ui/plots/routing_plot.h"

namespace ladimo::ui {
namespace {

constexpr int frontier_points = 200;
constexpr std::size_t histograms_a_page = 8;
const QString none = QStringLiteral("–");

QString optional_text(const std::optional<double>& value) { return value ? number_text(*value) : none; }

double cost_of(const PolicyNumbers& numbers, Cost cost) {
  return cost == Cost::activated ? numbers.activated_parameters : numbers.decode_ms.value_or(0);
}

void add_numbers(ReportDocument& report, PolicyEditor& editor) {
  const PolicyNumbers& said = editor.policy().predicted;
  const Measurement* found = RunHistory::of(editor).newest(editor.policy());
  const auto measured = [found](auto text) { return found ? bold(text(*found)) : none; };
  report.heading(QObject::tr("What the policy costs and changes"));
  report.table({{QObject::tr("Number"), QObject::tr("Predicted"), QObject::tr("Measured")},
                {QObject::tr("KL, nats per token"), number_text(said.kl),
                 measured([](const Measurement& m) { return number_text(m.numbers.kl); })},
                {QObject::tr("Perplexity against the dense original"),
                 change_text(perplexity_ratio(*editor.run().tradeoff, said)),
                 measured([](const Measurement& m) { return perplexity_in_words(m); })},
                {QObject::tr("Same top token"), none,
                 measured([](const Measurement& m) { return percent_text(m.same_top); })},
                {QObject::tr("Activated parameters"), percent_text(said.activated_fraction),
                 measured([](const Measurement& m) { return percent_text(m.numbers.activated_fraction); })},
                {QObject::tr("Activated parameters of the FFNs"), percent_text(said.ffn_activated),
                 measured([](const Measurement& m) { return percent_text(m.numbers.ffn_activated); })},
                {QObject::tr("Decoding, ms per token"), optional_text(said.decode_ms),
                 measured([](const Measurement& m) { return optional_text(m.numbers.decode_ms); })},
                {QObject::tr("Prompt, ms per token"), optional_text(said.prefill_ms),
                 measured([](const Measurement& m) { return optional_text(m.numbers.prefill_ms); })}},
               {false, true, true});
  if (found)
    report.paragraph(
        QObject::tr("Measured on %1 (%2 tokens, window %3), %4, %5.")
            .arg(text_in_words(*found).toHtmlEscaped(), grouped(found->tokens))
            .arg(found->window)
            .arg(date_in_words(found->date), QString::fromStdString(found->machine).toHtmlEscaped()));
  else
    report.paragraph(
        QObject::tr("This policy has not been measured. Predictions come from the run's tables."));
  if (editor.run().latency) report.paragraph(times_source(*editor.run().latency).toHtmlEscaped());
}

/// The newest answers under the policy; nothing where there are none.
void add_tasks(ReportDocument& report, PolicyEditor& editor) {
  const auto tasks = newest_tasks(RunHistory::of(editor).measurements(), editor.policy().layers);
  if (tasks.empty()) return;
  TaskScoresModel model;
  model.set_tasks(tasks);
  report.heading(QObject::tr("Tasks before and after"));
  report.paragraph(tasks_in_sentences(tasks).toHtmlEscaped().replace('\n', QStringLiteral("<br>")));
  std::vector<QStringList> rows(1);
  for (int column = 0; column < TaskScoresModel::shown; ++column)
    rows[0] << model.headerData(column, Qt::Horizontal).toString().replace('\n', QStringLiteral(", "));
  for (int row = 0; row < model.rowCount(); ++row) {
    rows.emplace_back();
    for (int column = 0; column < TaskScoresModel::shown; ++column)
      rows.back() << model.index(row, column).data().toString().toHtmlEscaped();
  }
  report.table(rows, {false, false, true, true, true, true, true});
}

void add_recipe(ReportDocument& report, const Recipe& recipe) {
  QStringList texts;
  for (const auto& file : recipe.text) texts << QString::fromStdString(file.filename().string());
  const QString text =
      recipe.self_text() ? QObject::tr("written by the model itself") : texts.join(QStringLiteral(", "));
  report.heading(QObject::tr("Recipe"));
  report.table(
      {{QObject::tr("What"), QObject::tr("Value")},
       {QObject::tr("Checkpoint"), QString::fromStdString(recipe.model_name()).toHtmlEscaped()},
       {QObject::tr("Fingerprint"), QString::fromStdString(recipe.model_fingerprint)},
       {QObject::tr("Calibration text"), text.toHtmlEscaped()},
       {QObject::tr("Calibration tokens"), grouped(recipe.tokens)},
       {QObject::tr("Held-out tokens"), grouped(recipe.held_out_tokens)},
       {QObject::tr("Window"), grouped(recipe.window)},
       {QObject::tr("Experts a layer"),
        recipe.layers.empty() ? QObject::tr("none")
                              : QObject::tr("%1, of which %2 shared").arg(recipe.experts).arg(recipe.shared)},
       {QObject::tr("Converted layers"), grouped(static_cast<qint64>(recipe.layers.size()))},
       {QObject::tr("Seed"), QString::number(recipe.seed)},
       {QObject::tr("Sensitivity"), QString::fromStdString(recipe.sensitivity)}},
      {false, false});
}

std::unique_ptr<Plot> frontier_plot(PolicyEditor& editor) {
  auto plot = std::make_unique<FrontierPlot>();
  const Cost cost = editor.cost();
  plot->set_frontier(cost, editor.frontier().dense_cost(), editor.frontier().points(frontier_points));
  const PolicyNumbers& said = editor.policy().predicted;
  plot->set_chosen(cost_of(said, cost), said.kl);
  if (const Measurement* found = RunHistory::of(editor).newest(editor.policy());
      found && cost == Cost::activated)
    plot->set_measured({{cost_of(found->numbers, cost), found->numbers.kl, said.kl, {}, {}}});
  return plot;
}

void add_plots(ReportDocument& report, PolicyEditor& editor) {
  report.heading(QObject::tr("Accuracy against cost"), true);
  std::vector<std::unique_ptr<Plot>> plots;
  plots.push_back(frontier_plot(editor));
  if (const auto& measurements = RunHistory::of(editor).measurements(); !measurements.empty()) {
    auto history = std::make_unique<MeasuredPlot>();
    history->show_measurements(measurements);
    if (!history->empty()) plots.push_back(std::move(history));
  }
  if (const Measurement* found = RunHistory::of(editor).newest(editor.policy())) {
    auto percentiles = std::make_unique<KlPercentilesPlot>();
    percentiles->show_scores({scores_of(*found)});
    if (!percentiles->empty()) plots.push_back(std::move(percentiles));
  }
  report.plots(std::move(plots), 1, 42);
}

void add_layers(ReportDocument& report, const PolicyEditor& editor) {
  std::vector<QStringList> rows{{QObject::tr("Layer"), QObject::tr("Policy"),
                                 QObject::tr("Experts on per token"), QObject::tr("KL added"),
                                 QObject::tr("Parameters per token"),
                                 QObject::tr("Error after distillation")}};
  const auto& layers = editor.policy().layers;
  for (int layer = 0; layer < static_cast<int>(layers.size()); ++layer) {
    const LayerPolicy& policy = layers[static_cast<std::size_t>(layer)];
    const Candidate priced = editor.price(layer, policy);
    const LayerRecord* record = editor.run().record_of(layer);
    const bool dense = policy.kind == LayerPolicy::Kind::dense;
    rows.push_back({QString::number(layer), in_words(policy),
                    dense ? QObject::tr("all") : number_text(policy.mean_experts), number_text(priced.kl),
                    count_text(priced.activated), record ? number_text(record->loss_after) : none});
  }
  report.heading(QObject::tr("Policy of every layer"), true);
  report.paragraph(
      QObject::tr("Predicted from the run's tables. The KL that a layer adds is measured with that layer "
                  "alone under its policy, in nats per token; the error is 0 for the dense FFN."));
  report.table(rows, {true, false, true, true, true, true});
}

void add_histograms(ReportDocument& report, const PolicyEditor& editor) {
  if (!editor.run().profile) return;
  const auto& layers = editor.run().profile->layers;
  for (std::size_t from = 0; from < layers.size(); from += histograms_a_page) {
    std::vector<std::unique_ptr<Plot>> plots;
    for (std::size_t i = from; i < std::min(from + histograms_a_page, layers.size()); ++i) {
      auto plot = std::make_unique<RoutingPlot>();
      const LayerPolicy& policy = editor.policy().layers.at(static_cast<std::size_t>(layers[i].layer));
      plot->set_counts(layers[i].all, layers[i].top1);
      plot->set_division(division_of(editor, layers[i].layer, {}));
      plot->set_title(QObject::tr("Layer %1: %2").arg(layers[i].layer).arg(in_words(policy)));
      plots.push_back(std::move(plot));
    }
    report.heading(from == 0 ? QObject::tr("Routing weights") : QObject::tr("Routing weights, continued"),
                   true);
    report.plots(std::move(plots), 2, 29);
  }
}

}  // namespace

QString write_report(PolicyEditor& editor, const QString& path) {
  const RunData& run = editor.run();
  ReportDocument report;
  report.title(QObject::tr("%1, converted to a mixture of experts")
                   .arg(QString::fromStdString(run.recipe.model_name())));
  report.paragraph(QObject::tr("Run %1 · reported %2 · LaDiMo Studio %3")
                       .arg(run.name().toHtmlEscaped(), QDate::currentDate().toString(Qt::ISODate),
                            QLatin1String(version())));
  report.paragraph(description(run).toHtmlEscaped());
  add_numbers(report, editor);
  add_tasks(report, editor);
  add_recipe(report, run.recipe);
  add_plots(report, editor);
  add_layers(report, editor);
  add_histograms(report, editor);

  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) &&
      report.write(file, QObject::tr("LaDiMo Studio · run %1").arg(run.name())) && file.commit())
    return {};
  return not_saved(path, file.errorString());
}

}  // namespace ladimo::ui
