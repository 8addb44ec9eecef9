#include "ui/mainwindow/facts_page.h"

#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "ui/widgets/help_mark.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

FactsPage::FactsPage(Help about, const QString& title, const QString& sentence, const Facts& facts,
                     QWidget* below, QWidget* parent)
    : QWidget(parent) {
  const int space = spacing(*this);
  auto* heading = new QLabel(title);
  heading->setFont(title_font(font()));
  auto* list = new QFormLayout;
  list->setHorizontalSpacing(3 * space);
  list->setVerticalSpacing(space);
  for (const Fact& fact : facts) {
    auto* value = new QLabel(fact.value);
    value->setTextFormat(Qt::PlainText);
    value->setWordWrap(true);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    auto* name = new Note(Note::Kind::faint, fact.name);
    name->setWordWrap(false);
    list->addRow(name, value);
  }
  auto* content = new QVBoxLayout(this);
  content->setContentsMargins(3 * space, 2 * space, 3 * space, 2 * space);
  content->setSpacing(space);
  auto* top = new QHBoxLayout;
  top->addWidget(heading);
  top->addWidget(new HelpMark(about, *this));
  top->addStretch();
  content->addLayout(top);
  content->addWidget(new Note(Note::Kind::faint, sentence));
  content->addSpacing(space);
  content->addLayout(list);
  content->addSpacing(space);
  if (below)
    content->addWidget(below, 1);
  else
    content->addStretch();
}

}  // namespace ladimo::ui
