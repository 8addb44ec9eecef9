#include "ui/panels/file_field.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QUrl>

#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr QChar separator = ';';

}  // namespace

FileField::FileField(const QString& name, const Words& words, bool remote, QWidget* parent)
    : QWidget(parent), remote_(remote), words_(words), line_(new QLineEdit) {
  line_->setObjectName(name);
  line_->setAccessibleName(words.name);
  line_->setPlaceholderText(remote ? tr("Paths on the engine's machine, separated by ;") : words.placeholder);
  line_->setToolTip(words.tip);
  line_->setAcceptDrops(false);  // it would take the address of a file as its text
  auto* button = new QPushButton(tr("Choose…"));
  button->setToolTip(words.dialog);
  button->setAccessibleName(words.dialog);
  if (remote) button->hide();
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->setSpacing(spacing(*this));
  row->addWidget(line_, 1);
  row->addWidget(button);
  connect(button, &QPushButton::clicked, this, &FileField::choose);
  connect(line_, &QLineEdit::textEdited, this, &FileField::edited);
  connect(line_, &QLineEdit::textChanged, this, &FileField::changed);
}

QWidget* FileField::line() const { return line_; }

QStringList FileField::files() const {
  QStringList files;
  for (const QString& file : line_->text().split(separator, Qt::SkipEmptyParts)) files << file.trimmed();
  files.removeAll(QString());
  return files;
}

void FileField::set_files(const QStringList& files) {
  if (files.isEmpty()) return;
  line_->setText(files.join(QStringLiteral("; ")));
  emit edited();
}

QString FileField::missing() const {
  if (remote_) return {};
  for (const QString& file : files())
    if (!QFileInfo(file).isFile()) return file;
  return {};
}

void FileField::choose() {
  set_files(QFileDialog::getOpenFileNames(this, words_.dialog, {},
                                          words_.filter + QStringLiteral(";;") + tr("All files (*)")));
}

QStringList local_files(const QMimeData& data) {
  QStringList files;
  for (const QUrl& url : data.urls())
    if (url.isLocalFile() && QFileInfo(url.toLocalFile()).isFile()) files << url.toLocalFile();
  return files;
}

}  // namespace ladimo::ui
