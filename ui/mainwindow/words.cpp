#include "ui/mainwindow/words.h"

#include <QDialog>
#include <QDialogButtonBox>
#include <QObject>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "ui/mainwindow/window_place.h"
#include "ui/models/help.h"
#include "ui/models/terms.h"

namespace ladimo::ui {
namespace {

QString all_html() {
  QString html = QStringLiteral("<h3>%1</h3>").arg(QObject::tr("Glossary")) + terms_html() +
                 QStringLiteral("<h3>%1</h3>").arg(QObject::tr("Panels"));
  for (int i = 0; i < help_count; ++i) {
    const auto about = static_cast<Help>(i);
    html += QStringLiteral("<p><b>%1</b></p>").arg(help_title(about).toHtmlEscaped()) + help_html(about);
  }
  return html;
}

}  // namespace

QDialog* make_words_dialog(QWidget* parent) {
  auto* dialog = new QDialog(parent);
  dialog->setObjectName(QStringLiteral("words"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(QObject::tr("Glossary"));
  auto* text = new QTextBrowser;
  text->setAccessibleName(dialog->windowTitle());
  text->setHtml(all_html());
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
  auto* column = new QVBoxLayout(dialog);
  column->addWidget(text);
  column->addWidget(buttons);
  const int line = dialog->fontMetrics().height();
  new WindowPlace(*dialog, QSize(36 * line, 40 * line));
  return dialog;
}

}  // namespace ladimo::ui
