#include "ui/panels/saved_policies.h"

#include <cmath>

#include <QDir>
#include <QFile>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTableView>

#include "run/saved_policy.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/panels/notice.h"
#include "ui/panels/policy_saving.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
SavedPolicies::SavedPolicies(PolicyEditor& editor, PolicySaving& saving, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      saving_(saving),
      name_(new QLineEdit),
      save_(new QPushButton(tr("&Save under this name"))),
      save_as_run_(new QPushButton(tr("Save as the &run's policy"))),
      load_(new QPushButton(tr("&Use this policy"))),
      delete_(new QPushButton(tr("&Delete"))),
      notice_(new Notice),
      policies_(new PoliciesModel(std::exp(editor.run().tradeoff->dense_nll), this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView),
      layers_(new PolicyLayersModel(this)),
      layers_table_(new QTableView) {
  setObjectName(QStringLiteral("saved_policies"));
  make_tables();
  lay_out();
  connect(name_, &QLineEdit::textChanged, this, &SavedPolicies::show_selection);
  connect(name_, &QLineEdit::returnPressed, save_, &QPushButton::click);
  connect(save_, &QPushButton::clicked, this, [this] { save(name_->text().trimmed(), editor_.policy()); });
  connect(save_as_run_, &QPushButton::clicked, this, [this] { save({}, editor_.policy()); });
  connect(load_, &QPushButton::clicked, this, &SavedPolicies::load);
  connect(delete_, &QPushButton::clicked, this, &SavedPolicies::remove);
  connect(notice_, &Notice::acted, this, [this] {
    if (loaded_at_) return editor_.undo().undo();
    if (!lost_) return;
    const NamedPolicy again = *lost_;
    save(again.name, again.policy);
  });
  connect(&saving_, &PolicySaving::saved, this, &SavedPolicies::accept);
  connect(&saving_, &PolicySaving::waits, notice_,
          [this](const QString& why) { notice_->say(why.isEmpty() ? tr("Saving…") : why); });
  for (const auto ended : {&PolicySaving::given_up, &PolicySaving::failed})
    connect(&saving_, ended, notice_, &Notice::clear);
  connect(&saving_, &PolicySaving::saved_elsewhere, notice_, &Notice::clear);
  connect(&editor_, &PolicyEditor::changed, this, &SavedPolicies::show_policies);
  connect(&RunHistory::of(editor_), &RunHistory::policies_changed, this, &SavedPolicies::show_policies);
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &SavedPolicies::show_selection);
  connect(table_, &QTableView::doubleClicked, load_, &QPushButton::click);
  connect(&editor_.undo(), &QUndoStack::indexChanged, this, [this](int index) {
    if (!loaded_at_ || index == *loaded_at_) return;
    loaded_at_.reset();
    notice_->clear();
  });
}

void SavedPolicies::make_tables() {
  sorted_->setSourceModel(policies_);
  sorted_->setSortRole(PoliciesModel::sort_role);
  table_->setModel(sorted_);
  layers_table_->setModel(layers_);
  for (QTableView* table : {table_, layers_table_}) set_table_look(*table);
  table_->setSelectionMode(QAbstractItemView::ExtendedSelection);
  table_->setSortingEnabled(true);
  table_->setObjectName(QStringLiteral("policies"));
  table_->setAccessibleName(tr("Current and saved policies"));
  table_->sortByColumn(PoliciesModel::kl, Qt::AscendingOrder);
  layers_table_->setSortingEnabled(false);
  layers_table_->setObjectName(QStringLiteral("policy_layers"));
  layers_table_->setAccessibleName(tr("Policies compared by layer"));
  const QString run = editor_.run().name();
  for (auto* actions : {new TableActions(*table_, run + QStringLiteral("-policies")),
                        new TableActions(*layers_table_, run + QStringLiteral("-policy-layers"))}) {
    connect(actions, &TableActions::failed, notice_, &Notice::show_error);
    connect(actions, &TableActions::saved, notice_,
            [this](const QString& path) { notice_->show_saved(tr("Saved as %1.").arg(path), path); });
  }
}

void SavedPolicies::lay_out() {
  const int space = spacing(*this);
  name_->setObjectName(QStringLiteral("policy_name"));
  name_->setPlaceholderText(tr("Name for the current policy"));
  name_->setAccessibleName(tr("Name for the current policy"));
  name_->setMaxLength(PolicySaving::longest_name);
  save_->setObjectName(QStringLiteral("save_policy"));
  save_as_run_->setObjectName(QStringLiteral("save_as_run_policy"));
  save_as_run_->setToolTip(tr("The command line uses this policy by default"));
  load_->setObjectName(QStringLiteral("load_policy"));
  load_->setToolTip(tr("Makes the selected policy the current one"));
  delete_->setObjectName(QStringLiteral("delete_policy"));
  if (!saving_.local()) delete_->hide();

  auto* saving = new QHBoxLayout;
  saving->setSpacing(space);
  saving->addWidget(name_, 1);
  saving->addWidget(save_);
  saving->addWidget(save_as_run_);
  saving->addSpacing(2 * space);
  saving->addWidget(load_);
  saving->addWidget(delete_);
  auto* tables = new QSplitter(Qt::Horizontal);
  tables->addWidget(table_);
  tables->addWidget(layers_table_);
  tables->setHandleWidth(2 * space);
  tables->setChildrenCollapsible(false);
  tables->setStretchFactor(0, 3);
  tables->setStretchFactor(1, 2);
  remember_splitter(*tables, keys::policies_columns);
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins({});
  page->setSpacing(space);
  page->addLayout(saving);
  page->addWidget(notice_);
  page->addWidget(tables, 1);
}

void SavedPolicies::show_policies() {
  if (!isVisible()) return;  // showEvent calls this again
  QStringList names;
  for (const NamedPolicy& policy : selected()) names << policy.name;
  std::vector<NamedPolicy> rows{{tr("current"), editor_.policy()}};
  const auto add = [&](const QString& name, Policy policy) {
    policy.predicted = editor_.predicted(policy);
    rows.push_back({name, std::move(policy)});
  };
  if (const auto& own = RunHistory::of(editor_).run_policy()) add(tr("the run's policy"), *own);
  for (const auto& [name, policy] : RunHistory::of(editor_).policies()) add(name, policy);
  policies_->set_policies(std::move(rows));
  fit_columns(*table_);
  for (int row = 0; row < sorted_->rowCount(); ++row)
    if (const QModelIndex index = sorted_->index(row, PoliciesModel::name);
        names.contains(index.data().toString()))
      table_->selectionModel()->select(index, QItemSelectionModel::Select | QItemSelectionModel::Rows);
  show_selection();
}

void SavedPolicies::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  show_policies();
}

std::vector<NamedPolicy> SavedPolicies::selected() const {
  std::vector<NamedPolicy> rows;
  for (const QModelIndex& index : table_->selectionModel()->selectedRows()) {
    const int row = sorted_->mapToSource(index).row();
    if (row > 0) rows.push_back(policies_->at(row));
  }
  return rows;
}

void SavedPolicies::show_selection() {
  if (policies_->rowCount() == 0) return;  // it was never shown
  std::vector<NamedPolicy> rows = selected();
  const QString name = name_->text().trimmed(), why = why_not(name);
  const auto& saved = RunHistory::of(editor_).policies();
  const bool replaces = saved.contains(name);
  save_->setEnabled(why.isEmpty());
  save_->setText(replaces ? tr("&Replace the saved policy") : tr("&Save under this name"));
  save_->setToolTip(!why.isEmpty() ? why
                    : replaces     ? tr("“%1” exists and will be replaced; this can be undone").arg(name)
                                   : tr("Saves the current policy in the run folder"));
  load_->setEnabled(rows.size() == 1);
  delete_->setEnabled(rows.size() == 1 && saved.contains(rows.front().name));
  delete_->setToolTip(delete_->isEnabled() ? tr("Deletes the selected policy; this can be undone")
                                           : tr("Select a saved policy"));
  rows.insert(rows.begin(), policies_->at(0));
  layers_->set_policies(std::move(rows));
  fit_columns(*layers_table_);
}

QString SavedPolicies::why_not(const QString& name) {
  if (name.isEmpty()) return tr("Enter a name first.");
  if (name.size() > PolicySaving::longest_name)
    return tr("A name can have at most %1 characters.").arg(PolicySaving::longest_name);
  if (name.contains('/')) return tr("A name cannot contain a slash.");
  if (name.startsWith('.')) return tr("A name cannot start with a dot.");
  return {};
}

void SavedPolicies::save(const QString& name, const Policy& policy) {
  const RunHistory& history = RunHistory::of(editor_);
  const auto before = history.policies().find(name);
  lost_.reset();
  loaded_at_.reset();
  if (before != history.policies().end()) lost_ = {name, before->second};
  notice_->clear();
  saving_.save({name, policy});
}

void SavedPolicies::accept(const NamedPolicy& saved) {
  name_->clear();
  const QString said =
      saved.name.isEmpty() ? tr("Saved as the run's policy.") : tr("Saved as “%1”.").arg(saved.name);
  if (lost_ && lost_->name == saved.name)
    notice_->offer(tr("Saved as “%1”. The policy that had this name was replaced.").arg(saved.name),
                   tr("Undo"));
  else if (saving_.local())
    notice_->show_saved(said, editor_.run().folder);
  else
    notice_->say(said);
}

void SavedPolicies::load() {
  const auto rows = selected();
  if (rows.size() != 1) return;
  try {
    const int before = editor_.undo().index();
    editor_.load(rows.front().policy);
    const QString said = tr("“%1” is now the current policy.").arg(rows.front().name);
    if (editor_.undo().index() == before) return notice_->say(said);  // it was already
    loaded_at_ = editor_.undo().index();
    notice_->offer(said, tr("Undo"));
  } catch (const Refusal& refusal) {
    notice_->show_error(complaint(refusal.problem()));
  }
}

void SavedPolicies::remove() {
  const auto rows = selected();
  if (rows.size() != 1) return;
  const QString& name = rows.front().name;
  QFile file(QDir(editor_.run().folder).filePath(QStringLiteral("policies/%1.json").arg(name)));
  const RunFolder run(editor_.run().folder.toStdString());
  if (file.exists() && !holds(run, name.toStdString(), RunHistory::of(editor_).expected(name))) {
    notice_->show_error(
        tr("Another program changed “%1”. Reload the run to see it before you delete it.").arg(name));
    return;
  }
  if (!file.remove() && file.exists()) {
    notice_->show_error(
        tr("“%1” could not be deleted: %2. The run folder may be read-only.").arg(name, file.errorString()));
    return;
  }
  lost_ = rows.front();
  loaded_at_.reset();
  RunHistory::of(editor_).remove_policy(name);
  notice_->offer(tr("“%1” was deleted.").arg(name), tr("Undo"));
}

}  // namespace ladimo::ui
