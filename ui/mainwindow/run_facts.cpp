#include "ui/mainwindow/run_facts.h"

#include <QHeaderView>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>

#include "policy/moe_shape.h"
#include "ui/mainwindow/facts_page.h"
#include "ui/models/facts_of_run.h"
#include "ui/models/numbers.h"
#include "ui/plots/loss_plot.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
namespace {

QStandardItem* number_cell(double value) {
  auto* cell = new QStandardItem(number_text(value));
  cell->setData(value, Qt::UserRole);
  cell->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
  cell->setEditable(false);
  return cell;
}

/// What the router of a layer is: linear, or with hidden units where that was better (docs/method.md).
QString router_in_words(const LayerRecord& record, const Stage1& stage) {
  if (!record.shape) return QObject::tr("–");
  const MoeShape& shape = *record.shape;
  const auto has = [&](int rank) {
    return shape.router_parameters == router_parameters(shape.hidden_size, shape.routed, rank);
  };
  for (const int rank : stage.router_ranks)
    if (has(rank)) return QObject::tr("%1 hidden units").arg(rank);
  return QObject::tr("linear");
}

QTableView* losses_table(const RunData& run) {
  auto* table = new QTableView;
  auto* model = new QStandardItemModel(0, 6, table);
  model->setHorizontalHeaderLabels({QObject::tr("Layer"), QObject::tr("Loss before"),
                                    QObject::tr("After refit"), QObject::tr("After distillation"),
                                    QObject::tr("Router R²"), QObject::tr("Router")});
  for (const LayerRecord& record : run.records()) {
    auto* layer = number_cell(record.layer);
    layer->setText(QString::number(record.layer));
    auto* explained = number_cell(record.router_r2);
    explained->setText(QObject::tr("%1 %").arg(number_text(100 * record.router_r2)));
    auto* router = number_cell(record.shape ? record.shape->router_parameters : 0);
    router->setText(router_in_words(record, run.recipe.stage1));
    model->appendRow({layer, number_cell(record.loss_before), number_cell(record.loss_refit),
                      number_cell(record.loss_after), explained, router});
  }
  model->setSortRole(Qt::UserRole);
  table->setModel(model);
  table->setAccessibleName(QObject::tr("Losses of the layers"));
  set_table_look(*table);
  table->horizontalHeader()->setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
  table->setSizeAdjustPolicy(QAbstractScrollArea::AdjustToContents);  // the plot takes the rest
  table->sortByColumn(0, Qt::AscendingOrder);
  fit_columns(*table);
  return table;
}

/// Held-out losses before the distillation and after each of its epochs.
LossPlot* losses_plot(const RunData& run) {
  auto* plot = new LossPlot;
  plot->set_step_name(QObject::tr("Epoch"));
  for (const LayerRecord& record : run.records()) {
    LossPlot::Curve curve;
    for (const double loss : record.held_out_losses) {
      curve.held_steps << static_cast<double>(curve.held_steps.size());
      curve.held_values << loss;
    }
    plot->set_curve(record.layer, curve);
  }
  return plot;
}

QWidget* losses_of(const RunData& run) {
  auto* table = losses_table(run);
  auto* plot = losses_plot(run);
  auto* both = new QSplitter;
  both->addWidget(with_actions(*table, run.name() + QStringLiteral("-losses")));
  both->addWidget(plot);
  both->setChildrenCollapsible(false);
  both->setHandleWidth(2 * spacing(*both));
  both->setStretchFactor(1, 1);
  QObject::connect(
      table->selectionModel(), &QItemSelectionModel::currentRowChanged, plot,
      [plot](const QModelIndex& row) { plot->select(row.siblingAtColumn(0).data(Qt::UserRole).toInt()); });
  table->selectRow(0);
  return both;
}

/// The start of the text that the model generated.
QWidget* start_of_text(const std::vector<std::string>& text) {
  QStringList documents;
  for (const std::string& document : text) documents << QString::fromStdString(document);
  auto* start = new QPlainTextEdit(documents.join(QStringLiteral("\n\n")));
  start->setObjectName(QStringLiteral("own_text"));
  start->setReadOnly(true);
  const QString name = QObject::tr("Start of the generated text");
  start->setAccessibleName(name);
  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins({});
  column->addWidget(new Note(Note::Kind::faint, name));
  column->addWidget(start);
  return content;
}

}  // namespace

QWidget* model_facts_page(const RunData& run) {
  return new FactsPage(Help::model, QObject::tr("Original model"),
                       QObject::tr("It is never changed. The run stores its own converted layers."),
                       model_facts(run));
}

QWidget* text_facts_page(const RunData& run) {
  return new FactsPage(
      Help::text, QObject::tr("Calibration text"),
      run.recipe.layers.empty()
          ? QObject::tr("Thresholds were set on this text. Predictions were checked on other parts of it.")
          : QObject::tr(
                "The experts were trained on this text. Predictions were checked on other parts of it."),
      text_facts(run), run.own_text.empty() ? nullptr : start_of_text(run.own_text));
}

QWidget* experts_facts_page(const RunData& run) {
  if (run.recipe.layers.empty())
    return new FactsPage(
        Help::experts, QObject::tr("No experts"),
        QObject::tr(
            "The feed-forward networks of this run are not split. Every layer can skip inputs and neurons."),
        {});
  return new FactsPage(Help::experts, QObject::tr("Experts"),
                       QObject::tr("Every feed-forward network was split into equal slices, the experts. "
                                   "Shared experts run for every token; a router chooses among the others."),
                       experts_facts(run));
}

QWidget* distil_facts_page(const RunData& run) {
  if (run.recipe.layers.empty())
    return new FactsPage(Help::losses, QObject::tr("No distillation"),
                         QObject::tr("Nothing was trained. Inputs and neurons are skipped by their size."),
                         {});
  return new FactsPage(Help::losses, QObject::tr("Distillation"),
                       QObject::tr("How far each converted layer is from the original: squared error on "
                                   "validation tokens. 0 is exact, 1 is as bad as a constant output."),
                       training_facts(run), losses_of(run));
}

}  // namespace ladimo::ui
