#include "ui/mainwindow/facts_page.h"

#include <QEvent>
#include <QFormLayout>
#include <QLabel>
#include <QVBoxLayout>

#include "ui/mainwindow/spacing.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {

FactsPage::FactsPage(const QString& title, const QString& sentence, const std::vector<Fact>& facts,
                     QWidget* below, QWidget* parent)
    : QWidget(parent), sentence_(new QLabel(sentence)), facts_(new QFormLayout) {
  const int space = spacing(*this);
  auto* heading = new QLabel(title);
  heading->setFont(title_font(font()));
  sentence_->setWordWrap(true);
  facts_->setHorizontalSpacing(3 * space);
  facts_->setVerticalSpacing(space);
  for (const Fact& fact : facts) {
    auto* value = new QLabel(fact.value);
    value->setTextFormat(Qt::PlainText);
    value->setWordWrap(true);
    value->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    facts_->addRow(new QLabel(fact.name), value);
  }
  auto* content = new QVBoxLayout(this);
  content->setContentsMargins(3 * space, 2 * space, 3 * space, 2 * space);
  content->setSpacing(space);
  content->addWidget(heading);
  content->addWidget(sentence_);
  content->addSpacing(space);
  content->addLayout(facts_);
  content->addSpacing(space);
  if (below)
    content->addWidget(below, 1);
  else
    content->addStretch();
  recolour();
}

void FactsPage::recolour() {
  QPalette faint = palette();
  faint.setColor(QPalette::WindowText, theme_of(palette()).faint);
  sentence_->setPalette(faint);
  for (int row = 0; row < facts_->rowCount(); ++row)
    facts_->itemAt(row, QFormLayout::LabelRole)->widget()->setPalette(faint);
}

void FactsPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
