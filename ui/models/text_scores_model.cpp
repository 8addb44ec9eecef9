#include "ui/models/text_scores_model.h"

#include "ui/models/numbers.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

constexpr const char* titles[TextScoresModel::column_count] = {
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Text"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Tokens"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "KL\nnats/token"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Median KL\nnats"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "99 % below\nnats"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Perplexity\nof dense"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Perplexity"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Same top\ntoken %"),
};

double percentile(const TextScore& score, int percent) {
  const auto at = score.kl_percentiles.find(percent);
  return at == score.kl_percentiles.end() ? 0 : at->second;
}

double number(const TextScore& score, int column) {
  switch (column) {
    case TextScoresModel::tokens:
      return static_cast<double>(score.tokens);
    case TextScoresModel::kl:
      return score.kl;
    case TextScoresModel::median:
      return percentile(score, 50);
    case TextScoresModel::p99:
      return percentile(score, 99);
    case TextScoresModel::dense_perplexity:
      return score.dense_perplexity;
    case TextScoresModel::perplexity:
      return score.perplexity;
    default:
      return 100 * score.same_top;
  }
}

QString cell(const TextScore& score, int column) {
  if (column == TextScoresModel::text) return score.text;
  if (column == TextScoresModel::tokens) return grouped(score.tokens);
  return number_text(number(score, column));
}

int alignment(int column) {
  return (column == TextScoresModel::text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

}  // namespace

void TextScoresModel::set_scores(std::vector<TextScore> scores) {
  beginResetModel();
  scores_ = std::move(scores);
  endResetModel();
}

int TextScoresModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(scores_.size());
}

int TextScoresModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant TextScoresModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const TextScore& score = scores_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return cell(score, index.column());
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    case sort_role:
      return index.column() == text ? QVariant(score.text) : QVariant(number(score, index.column()));
    default:
      return {};
  }
}

QVariant TextScoresModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  if (role == Qt::DisplayRole) return tr(titles[section]);
  return role == Qt::TextAlignmentRole ? QVariant(alignment(section)) : QVariant();
}

}  // namespace ladimo::ui
