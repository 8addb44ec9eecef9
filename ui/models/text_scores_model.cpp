#include "ui/models/text_scores_model.h"

#include <algorithm>

#include "ui/models/numbers.h"

namespace ladimo::ui {
namespace {

constexpr const char* titles[TextScoresModel::column_count] = {
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Text"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Tokens"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "KL\nnats/token"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Median KL\nnats"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "99 % below\nnats"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Perplexity\nof original"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Perplexity"),
    QT_TRANSLATE_NOOP("ladimo::ui::TextScoresModel", "Same top\ntoken %"),
};

double number(const TextScores& scores, int column) {
  switch (column) {
    case TextScoresModel::tokens:
      return static_cast<double>(scores.tokens);
    case TextScoresModel::kl:
      return scores.kl;
    case TextScoresModel::median:
      return percentile(scores.kl_percentiles, 50);
    case TextScoresModel::p99:
      return percentile(scores.kl_percentiles, 99);
    case TextScoresModel::dense_perplexity:
      return scores.dense_perplexity;
    case TextScoresModel::perplexity:
      return scores.perplexity;
    default:
      return 100 * scores.same_top;
  }
}

QString cell(const TextEvaluation::Domain& domain, int column) {
  if (column == TextScoresModel::text) return QString::fromStdString(domain.text.filename().string());
  if (column == TextScoresModel::tokens) return grouped(domain.scores.tokens);
  return number_text(number(domain.scores, column));
}

int alignment(int column) {
  return (column == TextScoresModel::text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

}  // namespace

void TextScoresModel::set_scores(std::vector<TextEvaluation::Domain> scores) {
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
  const TextEvaluation::Domain& domain = scores_[static_cast<std::size_t>(index.row())];
  switch (role) {
    case Qt::DisplayRole:
      return cell(domain, index.column());
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    case sort_role:
      return index.column() == text ? QVariant(cell(domain, text))
                                    : QVariant(number(domain.scores, index.column()));
    default:
      return {};
  }
}

QVariant TextScoresModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  if (role == Qt::DisplayRole) return tr(titles[section]);
  return role == Qt::TextAlignmentRole ? QVariant(alignment(section)) : QVariant();
}

double percentile(const KlPercentiles& percentiles, int percent) {
  return percentiles[static_cast<std::size_t>(std::ranges::find(kl_percents, percent) - kl_percents.begin())];
}

TextEvaluation::Domain scores_of(const Measurement& m) {
  TextEvaluation::Domain all;
  all.scores.tokens = m.tokens;
  all.scores.kl = m.numbers.kl;
  all.scores.perplexity = m.numbers.perplexity;
  all.scores.dense_perplexity = m.dense_perplexity;
  all.scores.same_top = m.same_top;
  all.scores.same_top_se = m.same_top_se;
  all.scores.kl_percentiles = m.kl_percentiles;
  return all;
}

}  // namespace ladimo::ui
