#include "ui/mainwindow/model_card.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTextBrowser>
#include <QTextDocument>
#include <QTextTable>

#include "ui/mainwindow/facts_page.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

/// Markdown's tables have no room between text and lines.
void space_tables(QTextDocument& card, double space) {
  for (QTextFrame* frame : card.rootFrame()->childFrames()) {
    auto* table = qobject_cast<QTextTable*>(frame);
    if (!table) continue;
    QTextTableFormat format = table->format();
    format.setCellPadding(space);
    format.setCellSpacing(0);
    format.setBorderCollapse(true);
    table->setFormat(format);
  }
}

}  // namespace

QWidget* model_card(const QString& folder) {
  auto* card = new QTextBrowser;
  card->setOpenExternalLinks(true);
  card->setAccessibleName(QObject::tr("Model card"));
  card->setPlaceholderText(QObject::tr("This folder has no model card (README.md)."));
  QFile file(QDir(folder).filePath(QStringLiteral("README.md")));
  if (file.open(QIODevice::ReadOnly)) {
    // Model cards begin with metadata between two lines of dashes.
    QString text = QString::fromUtf8(file.readAll());
    if (text.startsWith(QLatin1String("---\n"))) text = text.mid(text.indexOf(QLatin1String("\n---"), 3) + 4);
    card->setMarkdown(text);
    space_tables(*card->document(), spacing(*card) / 2.0);
  }
  auto* page = new FactsPage(Help::exported, QFileInfo(folder).fileName(),
                             QObject::tr("An exported model with one policy. Every command accepts it as a "
                                         "model. To change the policy, open the run it came from."),
                             {{QObject::tr("Folder"), QDir::toNativeSeparators(folder)}}, card);
  page->setObjectName(QStringLiteral("Model card"));
  return page;
}

}  // namespace ladimo::ui
