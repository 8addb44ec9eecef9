#include "ui/models/speed_model.h"

#include <cmath>
#include <utility>

#include <QStringList>

#include "ui/models/column_text.h"
#include "ui/models/numbers.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[SpeedModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Work"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Writing text token by token, or reading a prompt at once")},
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Dense\ntokens/s"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Median of the original model")},
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Converted\ntokens/s"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel",
                       "Median of the converted model under the policy that was timed")},
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Times\nas fast"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Converted divided by dense; both are timed in turns")},
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Spread\n± %"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "How far the times of single rounds are from the median")},
    {QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Tokens"),
     QT_TRANSLATE_NOOP("ladimo::ui::SpeedModel", "Tokens that were timed")},
};

QString optional_text(const std::optional<double>& value) {
  return value ? number_text(*value) : QStringLiteral("–");
}

QString cell(const QString& name, const Speed& speed, int column) {
  switch (column) {
    case SpeedModel::work:
      return name;
    case SpeedModel::dense:
      return optional_text(speed.dense_tokens_per_s);
    case SpeedModel::converted:
      return optional_text(speed.converted_tokens_per_s);
    case SpeedModel::ratio:
      return optional_text(speed.speedup());
    case SpeedModel::spread:
      return number_text(100 * speed.noise);
    default:
      return grouped(speed.tokens);
  }
}

int alignment(int column) {
  return (column == SpeedModel::work ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter;
}

QString comparison(const QString& work, const Speed& speed) {
  const auto ratio = speed.speedup();
  if (!ratio) return {};
  if (std::abs(*ratio - 1) <= 2 * speed.noise)
    return QObject::tr("%1: the difference is within the noise (%2 times as fast, ± %3 each).")
        .arg(work, number_text(*ratio), percent_text(speed.noise));
  return (*ratio > 1 ? QObject::tr("%1: the converted model is faster, %2 times as fast (± %3 each).")
                     : QObject::tr("%1: the converted model is slower, %2 times as fast (± %3 each)."))
      .arg(work, number_text(*ratio), percent_text(speed.noise));
}

}  // namespace

void SpeedModel::set_result(std::optional<BenchResult> result) {
  beginResetModel();
  result_ = std::move(result);
  endResetModel();
}

int SpeedModel::rowCount(const QModelIndex& parent) const { return parent.isValid() || !result_ ? 0 : 2; }

int SpeedModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int{column_count};
}

QVariant SpeedModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  if (role == Qt::TextAlignmentRole) return alignment(index.column());
  if (role != Qt::DisplayRole) return {};
  return index.row() == 0 ? cell(tr("Decoding"), result_->decode, index.column())
                          : cell(tr("Prompt"), result_->prefill, index.column());
}

QVariant SpeedModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  return header_of(column_texts[section], staticMetaObject, alignment(section), role);
}

QString speed_in_words(const BenchResult& result) {
  QStringList sentences{comparison(QObject::tr("Decoding"), result.decode),
                        comparison(QObject::tr("Prompt"), result.prefill)};
  if (const auto ms = result.decode.converted_ms(); ms && result.predicted_decode_ms)
    sentences << QObject::tr(
                     "A token takes %1 ms; the run's latency table predicts %2 ms for the experts that ran.")
                     .arg(number_text(*ms), number_text(*result.predicted_decode_ms));
  if (result.bytes_per_token > 0)
    sentences << QObject::tr(
                     "Decoding a token reads %1 of weights, at %2 of the %3/s that this machine reads.")
                     .arg(bytes_text(result.bytes_per_token), percent_text(result.bandwidth_fraction),
                          bytes_text(result.read_bytes_per_s));
  sentences << QObject::tr("Weights as %1, %2 threads, %3, %4.")
                   .arg(QString::fromStdString(result.dtype))
                   .arg(result.threads)
                   .arg(QString::fromStdString(result.machine), date_text(result.date));
  sentences.removeAll(QString());
  return sentences.join('\n');
}

}  // namespace ladimo::ui
