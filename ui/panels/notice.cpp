#include "ui/panels/notice.h"

#include <QDesktopServices>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QToolButton>
#include <QUrl>

#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

Notice::Notice(QWidget* parent)
    : QWidget(parent), text_(new Note(Note::Kind::plain)), button_(new QToolButton) {
  text_->setObjectName(QStringLiteral("notice"));
  QSizePolicy keeps_its_room = button_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  button_->setSizePolicy(keeps_its_room);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins({});
  layout->setSpacing(spacing(*this));
  layout->addWidget(text_, 1);
  layout->addWidget(button_, 0, Qt::AlignTop);
  connect(button_, &QToolButton::clicked, this, &Notice::press);
  clear();
}

void Notice::clear() { set({}, false, {}, {}); }
void Notice::say(const QString& text) { set(text, false, {}, {}); }
void Notice::show_error(const QString& text) { set(text, true, {}, {}); }

void Notice::show_saved(const QString& text, const QString& path) {
  const QFileInfo file(path);
  set(text, false, tr("Open folder"), file.isDir() ? file.filePath() : file.path());
}

void Notice::offer(const QString& text, const QString& action) { set(text, false, action, {}); }
void Notice::offer_after_error(const QString& text, const QString& action) { set(text, true, action, {}); }

QString Notice::text() const { return text_->text(); }

void Notice::set(const QString& text, bool failed, const QString& action, const QString& folder) {
  text_->say(failed ? Note::Kind::wrong : Note::Kind::plain, text);
  failed_ = failed;
  folder_ = folder;
  button_->setText(action);
  button_->setVisible(!action.isEmpty());
}

void Notice::press() {
  if (folder_.isEmpty())
    emit acted();
  else
    QDesktopServices::openUrl(QUrl::fromLocalFile(folder_));
}

}  // namespace ladimo::ui
