#include "ui/panels/loading_lines.h"

#include <algorithm>

#include <QAbstractTextDocumentLayout>
#include <QClipboard>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPlainTextEdit>
#include <QPushButton>

#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int most_lines = 8;  // that are visible at once

}  // namespace

LoadingLines::LoadingLines(QWidget* parent) : QWidget(parent), text_(new QPlainTextEdit) {
  text_->setObjectName(QStringLiteral("loading_lines"));
  text_->setReadOnly(true);
  text_->setTabChangesFocus(true);
  text_->setWordWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
  text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  text_->setAccessibleName(tr("Code that loads the model"));
  auto* copy = new QPushButton(tr("Cop&y code"));
  copy->setObjectName(QStringLiteral("copy_lines"));
  copy->setToolTip(tr("Copies the code that loads this model"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->setSpacing(spacing(*this));
  row->addWidget(text_, 1);
  row->addWidget(copy, 0, Qt::AlignTop);
  connect(copy, &QPushButton::clicked, this,
          [this] { QGuiApplication::clipboard()->setText(text_->toPlainText()); });
  connect(text_->document()->documentLayout(), &QAbstractTextDocumentLayout::documentSizeChanged, this,
          &LoadingLines::fit_height);
}

void LoadingLines::show_lines(const QString& lines) { text_->setPlainText(lines); }

/// As high as its lines, wrapped ones counted, if they are not too many.
void LoadingLines::fit_height() {
  const int lines = static_cast<int>(text_->document()->documentLayout()->documentSize().height());
  // One pixel more: the last line would scroll by it.
  const int frame = 1 + 2 * (text_->frameWidth() + static_cast<int>(text_->document()->documentMargin()));
  text_->setFixedHeight(std::clamp(lines, 1, most_lines) * text_->fontMetrics().lineSpacing() + frame);
}

}  // namespace ladimo::ui
