#include "ui/models/measurements_model.h"

#include <algorithm>
#include <optional>

#include <QDateTime>

#include "ui/models/column_text.h"
#include "ui/models/numbers.h"
#include "ui/models/task_scores_model.h"

namespace ladimo::ui {
namespace {

constexpr ColumnText column_texts[MeasurementsModel::column_count] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Measured"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Date and local time")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Text"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "The text it was measured on")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Tasks\npoints"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel",
                       "Change in the share of correct answers against the original")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Layers"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Number of layers with each kind of policy")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Tokens"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Scored tokens")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "KL\nnats/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel",
                       "Mean KL(dense ‖ converted) of next-token distributions")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "KL predicted\nnats/token"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "What the run's tables predicted for this policy")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Perplexity"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Of the converted model")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Perplexity\nof original"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Of the original model on the same tokens")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Same top\ntoken %"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "How often both models rank the same token first")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Activated\n%"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel",
                       "Parameters used per token, in per cent of the original's")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Activated\n% of FFNs"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "The same for the FFNs only, routers included")},
    {QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Machine"),
     QT_TRANSLATE_NOOP("ladimo::ui::MeasurementsModel", "Where it was measured")},
};

/// Absent where the column has words, and without a text where the number is about it.
std::optional<double> number(const Measurement& m, int column) {
  if (column == MeasurementsModel::predicted_kl) return m.policy.predicted.kl;
  if (!m.has_text()) return {};
  switch (column) {
    case MeasurementsModel::tokens:
      return static_cast<double>(m.tokens);
    case MeasurementsModel::kl:
      return m.numbers.kl;
    case MeasurementsModel::perplexity:
      return m.numbers.perplexity;
    case MeasurementsModel::dense_perplexity:
      return m.dense_perplexity;
    case MeasurementsModel::same_top:
      return 100 * m.same_top;
    case MeasurementsModel::activated:
      return 100 * m.numbers.activated_fraction;
    case MeasurementsModel::ffn_activated:
      return 100 * m.numbers.ffn_activated;
    default:
      return {};
  }
}

QString cell(const Measurement& m, int column) {
  switch (column) {
    case MeasurementsModel::date:
      return date_in_words(m.date);
    case MeasurementsModel::text:
      return text_in_words(m);
    case MeasurementsModel::tasks:
      return tasks_in_short(m.tasks);
    case MeasurementsModel::policy:
      return kinds_in_words(m.policy.layers);
    case MeasurementsModel::machine:
      return QString::fromStdString(m.machine);
    default: {
      const auto value = number(m, column);
      if (!value) return {};
      return column == MeasurementsModel::tokens ? grouped(m.tokens) : number_text(*value);
    }
  }
}

QStringList text_files(const Measurement& m) {
  QStringList files;
  for (const auto& file : m.text) files << QString::fromStdString(file.string());
  return files;
}

bool has_words(int column) {
  return column == MeasurementsModel::date || column == MeasurementsModel::text ||
         column == MeasurementsModel::tasks || column == MeasurementsModel::policy ||
         column == MeasurementsModel::machine;
}

QVariant sort_value(const Measurement& m, int column) {
  if (column == MeasurementsModel::date) return QString::fromStdString(m.date);
  if (has_words(column)) return cell(m, column);
  const auto value = number(m, column);
  return value ? QVariant(*value) : QVariant();  // one that is missing comes last
}

int alignment(int column) { return (has_words(column) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter; }

}  // namespace

void MeasurementsModel::set_measurements(std::vector<Measurement> measurements) {
  beginResetModel();
  measurements_ = std::move(measurements);
  std::ranges::reverse(measurements_);
  endResetModel();
}

const Measurement& MeasurementsModel::at(int row) const {
  return measurements_.at(static_cast<std::size_t>(row));
}

int MeasurementsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(measurements_.size());
}

int MeasurementsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : column_count;
}

QVariant MeasurementsModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const Measurement& measurement = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return cell(measurement, index.column());
    case Qt::ToolTipRole:
      if (index.column() == text) return text_files(measurement).join('\n');
      if (index.column() == tasks) return tasks_in_sentences(measurement.tasks);
      return index.column() == machine ? cell(measurement, machine) : QVariant();
    case Qt::TextAlignmentRole:
      return alignment(index.column());
    case sort_role:
      return sort_value(measurement, index.column());
    default:
      return {};
  }
}

QVariant MeasurementsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= column_count) return {};
  return header_of(column_texts[section], staticMetaObject, alignment(section), role);
}

QString text_in_words(const Measurement& measurement) {
  if (!measurement.has_text()) return QObject::tr("no text");
  if (measurement.text.empty()) return QObject::tr("held-out text");
  QStringList names;
  for (const auto& file : measurement.text) names << QString::fromStdString(file.filename().string());
  return names.join(QStringLiteral(", "));
}

QString date_in_words(const std::string& iso_date) {
  const QString text = QString::fromStdString(iso_date);
  const QDateTime date = QDateTime::fromString(text, Qt::ISODate);
  return date.isValid() ? date.toLocalTime().toString(QStringLiteral("yyyy-MM-dd HH:mm")) : text;
}

QString kinds_in_words(const std::vector<LayerPolicy>& layers) {
  const auto count = [&](LayerPolicy::Kind kind) {
    return std::ranges::count(layers, kind, &LayerPolicy::kind);
  };
  QStringList parts;
  if (const auto n = count(LayerPolicy::Kind::dense)) parts << QObject::tr("%1 dense").arg(n);
  if (const auto n = count(LayerPolicy::Kind::threshold)) parts << QObject::tr("%1 threshold").arg(n);
  if (const auto n = count(LayerPolicy::Kind::top_k)) parts << QObject::tr("%1 top-k").arg(n);
  return parts.join(QStringLiteral(" · "));
}

}  // namespace ladimo::ui
