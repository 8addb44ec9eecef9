#include "ui/wizard/text_file_model.h"

#include <algorithm>
#include <filesystem>

#include <QFileInfo>

#include "ui/models/numbers.h"
#include "ui/models/sentences.h"
#include "ui/wizard/text_page_config.h"

namespace ladimo::ui {
namespace {

/// What is wrong with this file itself; empty where nothing is.
QString problem_of(const TextLook& look, const QString& file) {
  const auto found =
      std::ranges::find(look.problems, std::filesystem::path(file.toStdString()), &Problem::path);
  return found == look.problems.end() ? QString() : complaint(*found);
}

}  // namespace

TextFileModel::TextFileModel(const TextPageConfig& config, QObject* parent)
    : QAbstractTableModel(parent), config_(config) {
  connect(&config, &PageConfig::changed, this, [this] {
    beginResetModel();
    endResetModel();
  });
}

int TextFileModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(config_.files().size());
}

int TextFileModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : int{column_count};
}

QString TextFileModel::text(int row, int column) const {
  if (column == file) return QFileInfo(config_.files()[row]).fileName();
  const auto& look = config_.look();
  const auto index = static_cast<std::size_t>(row);
  if (!look || index >= look->files.size()) return config_.reading() ? tr("…") : tr("–");
  const TextFileLook& found = look->files[index];
  if (column == taken) return found.taken > 0 ? grouped(found.taken) : tr("–");
  if (found.tokens == 0)
    return problem_of(*look, config_.files()[row]).isEmpty() ? tr("no text") : tr("cannot be used");
  return found.estimated ? tr("about %1").arg(count_text(static_cast<double>(found.tokens)))
                         : grouped(found.tokens);
}

QString TextFileModel::tool_tip(const QString& path) const {
  const QString problem = config_.look() ? problem_of(*config_.look(), path) : QString();
  return problem.isEmpty() ? path : path + '\n' + problem;
}

QVariant TextFileModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  switch (role) {
    case Qt::DisplayRole:
      return text(index.row(), index.column());
    case Qt::ToolTipRole:
      return tool_tip(config_.files()[index.row()]);
    case Qt::TextAlignmentRole:
      return int(Qt::AlignVCenter | (index.column() == file ? Qt::AlignLeft : Qt::AlignRight));
    default:
      return {};
  }
}

QVariant TextFileModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole)
    return int(Qt::AlignVCenter | (section == file ? Qt::AlignLeft : Qt::AlignRight));
  if (role != Qt::DisplayRole) return {};
  static const char* const titles[] = {QT_TR_NOOP("File"), QT_TR_NOOP("Tokens available"),
                                       QT_TR_NOOP("Tokens used")};
  return tr(titles[section]);
}

}  // namespace ladimo::ui
