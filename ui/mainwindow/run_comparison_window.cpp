#include "ui/mainwindow/run_comparison_window.h"

#include <QCheckBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QHeaderView>
#include <QLabel>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "policy/frontier.h"
#include "ui/mainwindow/message_page.h"
#include "ui/mainwindow/run_reader.h"
#include "ui/mainwindow/window_place.h"
#include "ui/models/policies_model.h"
#include "ui/models/run_comparison.h"
#include "ui/plots/frontiers_plot.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
namespace {

using Run = std::shared_ptr<const RunData>;

bool same_layers(const RunData& a, const RunData& b) {
  return a.tradeoff->layers.size() == b.tradeoff->layers.size();
}

/// The rows of facts, or those alone in which the runs differ.
class Differences : public QSortFilterProxyModel {
 public:
  using QSortFilterProxyModel::QSortFilterProxyModel;
  void set_only(bool only) {
    only_ = only;
    invalidateFilter();
  }

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
    return !only_ || sourceModel()->index(row, 0, parent).data(RunComparison::differs_role).toBool();
  }

 private:
  bool only_ = false;
};

/// A widget with others in a column, without margins.
QWidget* in_column(std::initializer_list<QWidget*> parts) {
  auto* content = new QWidget;
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins({});
  for (QWidget* part : parts) column->addWidget(part);
  return content;
}

QWidget* facts_side(const ComparedRun& a, const ComparedRun& b, QWidget& owner) {
  auto* sorted = new Differences(&owner);
  sorted->setSourceModel(new RunComparison(a, b, &owner));
  auto* table = new QTableView;
  table->setModel(sorted);
  table->setObjectName(QStringLiteral("compared_facts"));
  table->setAccessibleName(RunComparisonWindow::tr("Facts of both runs"));
  set_table_look(*table);
  table->setSortingEnabled(false);
  sorted->sort(-1);  // in the order of the pages, not by name
  table->setTextElideMode(Qt::ElideMiddle);
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  table->horizontalHeader()->setSectionResizeMode(RunComparison::name, QHeaderView::ResizeToContents);
  auto* only = new QCheckBox(RunComparisonWindow::tr("Show only &differences"));
  only->setObjectName(QStringLiteral("only_differences"));
  QObject::connect(only, &QCheckBox::toggled, sorted, &Differences::set_only);
  return in_column({only, with_actions(*table, QStringLiteral("two-runs"))});
}

QWidget* layers_side(const ComparedRun& a, const ComparedRun& b, double activated) {
  auto* table = new QTableView;
  auto* model = new PolicyLayersModel(table);
  table->setModel(model);
  table->setObjectName(QStringLiteral("compared_layers"));
  table->setAccessibleName(RunComparisonWindow::tr("Layers of both runs"));
  set_table_look(*table);
  table->setSortingEnabled(false);
  auto* share = new QDoubleSpinBox;
  share->setObjectName(QStringLiteral("compared_share"));
  share->setRange(0, 100);
  share->setDecimals(1);
  share->setSuffix(RunComparisonWindow::tr(" %"));
  auto* label = new QLabel(RunComparisonWindow::tr("&Layers of the best policies at"));
  label->setBuddy(share);
  auto* unit = new QLabel(RunComparisonWindow::tr("of the parameters"));
  auto* choice = new QWidget;
  auto* row = new QHBoxLayout(choice);
  row->addWidget(label);
  row->addWidget(share);
  row->addWidget(unit);
  row->addStretch();
  const auto show = [model, table, names = names_of(*a.run, *b.run),
                     frontiers = std::array{a.frontier, b.frontier}](double percent) {
    std::vector<NamedPolicy> policies;
    for (std::size_t i = 0; i < frontiers.size(); ++i)
      policies.push_back({names[i], frontiers[i].at_budget(percent / 100 * frontiers[i].dense_cost())});
    model->set_policies(std::move(policies));
    fit_columns(*table);
  };
  QObject::connect(share, &QDoubleSpinBox::valueChanged, table, show);
  share->setValue(100 * activated);
  row->setContentsMargins({});
  return in_column({choice, with_actions(*table, QStringLiteral("two-runs-layers"))});
}

QWidget* plot_of(const ComparedRun& a, const ComparedRun& b) {
  const auto names = names_of(*a.run, *b.run);
  return new FrontiersPlot({{{names[0], a.frontier.points(), a.frontier.dense_cost()},
                             {names[1], b.frontier.points(), b.frontier.dense_cost()}}});
}

}  // namespace

RunComparisonWindow::RunComparisonWindow(Run run, double activated, const Engine& engine,
                                         const QString& other, QWidget* parent)
    : QDialog(parent),
      run_(std::move(run)),
      activated_(activated),
      other_(other),
      reader_(std::make_unique<RunReader>(engine, other)),
      message_(new MessagePage),
      pages_(new QStackedWidget) {
  setObjectName(QStringLiteral("run_comparison"));
  setAttribute(Qt::WA_DeleteOnClose);
  setWindowTitle(tr("Two runs"));
  setWindowFlag(Qt::WindowMaximizeButtonHint);
  pages_->addWidget(message_);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(pages_);
  const int space = spacing(*this);
  new WindowPlace(*this, QSize(150 * space, 84 * space));
  message_->show_message({.title = tr("Reading %1").arg(QFileInfo(other_).fileName()),
                          .sentence = QDir::toNativeSeparators(other_),
                          .hint = {},
                          .button = tr("Stop"),
                          .busy = true});
  connect(message_, &MessagePage::clicked, this, &RunComparisonWindow::press_button);
  connect(reader_.get(), &RunReader::read, this, &RunComparisonWindow::compare);
  connect(reader_.get(), &RunReader::failed, this,
          [this](const Outcome& outcome) { show_failure(outcome.sentence, outcome.hint); });
}

RunComparisonWindow::~RunComparisonWindow() = default;

void RunComparisonWindow::show_failure(const QString& sentence, const QString& hint) {
  message_->show_message({.title = tr("%1 cannot be compared").arg(QFileInfo(other_).fileName()),
                          .sentence = sentence,
                          .hint = hint,
                          .button = tr("Choose another run…"),
                          .failed = true});
}

void RunComparisonWindow::press_button() {
  if (!reader_->running()) emit other_run_wanted();
  close();
}

void RunComparisonWindow::compare(const Run& other) {
  if (!other->tradeoff)
    return show_failure(tr("This run is not finished, so it predicts nothing yet."),
                        tr("Open it and continue its conversion first."));
  const ComparedRun a(run_), b(other);
  const auto names = names_of(*run_, *other);
  setWindowTitle(tr("%1 and %2").arg(names[0], names[1]));
  auto* right = new QSplitter(Qt::Vertical);
  right->addWidget(plot_of(a, b));
  if (same_layers(*run_, *other)) right->addWidget(layers_side(a, b, activated_));
  auto* both = new QSplitter;
  both->addWidget(facts_side(a, b, *this));
  both->addWidget(right);
  for (QSplitter* splitter : {right, both}) {
    splitter->setChildrenCollapsible(false);
    splitter->setHandleWidth(2 * spacing(*this));
    splitter->setStretchFactor(0, 1);
    splitter->setStretchFactor(1, 1);
    splitter->setSizes({1000, 1000});  // in proportion: hints would give the layers most
  }
  const QStringList said = cautions(*run_, *other);
  auto* caution = new Note(Note::Kind::faint, said.join(' '));
  caution->setObjectName(QStringLiteral("cautions"));
  caution->setVisible(!said.isEmpty());
  QWidget* page = in_column({caution, both});
  static_cast<QVBoxLayout*>(page->layout())->setStretchFactor(both, 1);
  pages_->addWidget(page);
  pages_->setCurrentWidget(page);
}

}  // namespace ladimo::ui
