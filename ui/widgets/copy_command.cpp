#include "ui/widgets/copy_command.h"

#include <utility>

#include <QClipboard>
#include <QGuiApplication>
#include <QToolTip>

namespace ladimo::ui {

CopyCommand::CopyCommand(std::function<QString()> command, QWidget* parent)
    : QPushButton(tr("Copy command"), parent), command_(std::move(command)) {
  setObjectName(QStringLiteral("copy_command"));
  setToolTip(tr("Copies the command that does the same in a terminal"));
  connect(this, &QPushButton::clicked, this, &CopyCommand::copy);
}

void CopyCommand::copy() {
  const QString lines = command_();
  QGuiApplication::clipboard()->setText(lines);
  QToolTip::showText(mapToGlobal(rect().topLeft()), tr("Copied:\n%1").arg(lines), this);
}

}  // namespace ladimo::ui
