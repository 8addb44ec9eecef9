#include "ui/models/run_comparison.h"

#include <algorithm>
#include <tuple>

#include <QDir>

#include "ui/models/column_text.h"
#include "ui/models/facts_of_run.h"

namespace ladimo::ui {
namespace {

Facts facts_of(const ComparedRun& compared) {
  Facts all;
  for (const auto list : {model_facts, text_facts, experts_facts, training_facts})
    std::ranges::copy(list(*compared.run), std::back_inserter(all));
  std::ranges::copy(reach_facts(*compared.run, compared.frontier), std::back_inserter(all));
  return all;
}

}  // namespace

QStringList cautions(const RunData& a, const RunData& b) {
  if (a.recipe.model_fingerprint != b.recipe.model_fingerprint)
    return {
        QObject::tr("The runs are of different models. Each KL is measured against the run's own original.")};
  const auto held_out = [](const RunData& run) {
    const Recipe& recipe = run.recipe;
    return std::tuple(recipe.text_fingerprints, recipe.held_out_tokens, recipe.window, recipe.seed);
  };
  if (a.recipe.self_text() || held_out(a) != held_out(b))
    return {
        QObject::tr("The predictions of the two runs are for different text. To compare them exactly, "
                    "evaluate both on the same file.")};
  return {};
}

std::array<QString, 2> names_of(const RunData& a, const RunData& b) {
  if (a.name() != b.name()) return {a.name(), b.name()};
  return {QDir::toNativeSeparators(a.folder), QDir::toNativeSeparators(b.folder)};
}

RunComparison::RunComparison(const ComparedRun& a, const ComparedRun& b, QObject* parent)
    : QAbstractTableModel(parent), names_(names_of(*a.run, *b.run)) {
  const QString nothing = QStringLiteral("–");
  for (const Fact& fact : facts_of(a)) rows_.push_back({fact.name, fact.value, nothing});
  auto after = rows_.begin();  // where a fact that only the second run has is listed
  for (const Fact& fact : facts_of(b)) {
    auto row = std::ranges::find(rows_, fact.name, [](const Row& cells) { return cells[name]; });
    if (row == rows_.end()) row = rows_.insert(after, {fact.name, nothing, {}});
    (*row)[second] = fact.value;
    after = row + 1;
  }
}

int RunComparison::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int RunComparison::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant RunComparison::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Row& row = rows_[static_cast<std::size_t>(index.row())];
  const bool differs = row[first] != row[second];
  switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
      return row[static_cast<std::size_t>(index.column())];
    case differs_role:
      return differs;
    case Qt::FontRole:
      return font_of_difference(differs && index.column() != name);
    default:
      return {};
  }
}

QVariant RunComparison::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  if (role == Qt::TextAlignmentRole) return int(Qt::AlignLeft | Qt::AlignVCenter);
  if (role != Qt::DisplayRole) return {};
  return section == name ? QString() : names_[static_cast<std::size_t>(section - 1)];
}

}  // namespace ladimo::ui
