#include "ui/panels/export_place.h"

#include <utility>

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>

#include "checkpoint/gguf.h"
#include "ui/engine/lexicon.h"

namespace ladimo::ui {
namespace {

bool is_taken(const QString& path, bool gguf) {
  if (QFileInfo::exists(path)) return true;
  return gguf && QFileInfo(path).dir().exists() && first_part_of_gguf(path.toStdString());
}

/// A new folder is made in the one that a person chooses: dialogs choose none that does not exist yet.
QString ask_for_parent(QWidget& parent, const QFileInfo& proposed) {
  return QFileDialog::getExistingDirectory(
      &parent, QObject::tr("Where to make the folder “%1”").arg(proposed.fileName()), proposed.path());
}

}  // namespace

ExportPlace::ExportPlace(QString run_folder, Engine engine)
    : folder_(QFileInfo(run_folder).path()),
      name_(QFileInfo(run_folder).fileName()),
      engine_(std::move(engine)) {}

QString ExportPlace::proposed(const ExportChoice& choice, const QString& precision) const {
  QString path = folder_ + '/' + name_ + '-' + (choice.native() ? QStringLiteral("model") : choice.format);
  if (choice.gguf) path += '-' + precision;
  const QString ending = choice.gguf ? QStringLiteral(".gguf") : QString();
  QString free = path + ending;
  for (int number = 2; !engine_.remote() && is_taken(free, choice.gguf); ++number)
    free = QStringLiteral("%1-%2%3").arg(path).arg(number).arg(ending);
  return free;
}

QString ExportPlace::ask(QWidget& parent, const ExportChoice& choice, const QString& precision) {
  const QString proposal = proposed(choice, precision);
  const QString title = choice.gguf ? QObject::tr("GGUF file") : label_of(Setting::output);
  QString path;
  if (engine_.remote()) {
    const QString where = choice.gguf ? QObject::tr("File on %1:") : QObject::tr("Folder on %1:");
    path = QInputDialog::getText(&parent, title, where.arg(engine_.host), QLineEdit::Normal, proposal);
  } else if (choice.gguf) {
    path = QFileDialog::getSaveFileName(&parent, title, proposal, QObject::tr("GGUF (*.gguf)"), nullptr,
                                        QFileDialog::DontConfirmOverwrite);
  } else {
    const QString chosen = ask_for_parent(parent, QFileInfo(proposal));
    if (chosen.isEmpty()) return {};
    set_folder(chosen);
    return proposed(choice, precision);  // a name that is free there
  }
  if (path.isEmpty()) return {};
  if (choice.gguf && !path.endsWith(QLatin1String(".gguf"))) path += QStringLiteral(".gguf");
  set_folder(QFileInfo(path).path());
  return path;
}

}  // namespace ladimo::ui
