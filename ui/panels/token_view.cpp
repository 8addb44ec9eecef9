#include "ui/panels/token_view.h"

#include <algorithm>
#include <cstdlib>

#include <QMouseEvent>
#include <QScrollBar>
#include <QStringList>
#include <QToolTip>

#include "base/format.h"
#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/widgets/tint.h"

namespace ladimo::ui {
namespace {

constexpr int tick_ms = 33;
constexpr std::size_t layers_in_a_line = 8;

double mean_of(const std::vector<int>& experts) {
  double sum = 0;
  int layers = 0;
  for (const int on : experts) {
    if (on < 0) continue;
    sum += on;
    ++layers;
  }
  return layers > 0 ? sum / layers : -1;
}

QString quoted(QString text) { return QStringLiteral("“%1”").arg(text.replace('\n', QStringLiteral("↵"))); }

QTextCharFormat prompt_format(const Theme& theme) {
  QTextCharFormat format;
  format.setForeground(theme.faint);
  return format;
}

}  // namespace

TokenView::TokenView(QWidget* parent) : QPlainTextEdit(parent) {
  setReadOnly(true);
  setUndoRedoEnabled(false);
  setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  setMouseTracking(true);
  viewport()->setMouseTracking(true);
  tick_.setSingleShot(true);
  tick_.setInterval(tick_ms);
  connect(&tick_, &QTimer::timeout, this, &TokenView::flush);
  connect(this, &QPlainTextEdit::cursorPositionChanged, this, &TokenView::point_at_cursor);
}

void TokenView::set_scale(double few, double many) {
  few_ = few;
  many_ = std::max(many, few + 1e-6);
}

void TokenView::begin(const QString& prompt) {
  tick_.stop();
  tokens_.clear();
  shown_ = 0;
  clear();
  QTextCursor cursor(document());
  cursor.insertText(prompt, prompt_format(theme_of(palette())));
  prompt_end_ = end_ = cursor.position();
}

void TokenView::append(const TokenEvent& token) {
  tokens_.push_back({QString::fromStdString(token.text), token.experts, mean_of(token.experts), end_});
  tokens_.back().text.remove('\r');  // a document turns "\r\n" into one character
  end_ += static_cast<int>(tokens_.back().text.size());
  if (!tick_.isActive()) tick_.start();
}

void TokenView::flush() {
  tick_.stop();
  if (shown_ == tokens_.size()) return;
  QScrollBar& bar = *verticalScrollBar();
  const bool follow = bar.value() == bar.maximum();
  const Theme theme = theme_of(palette());
  QTextCursor cursor(document());
  cursor.movePosition(QTextCursor::End);
  cursor.beginEditBlock();
  for (; shown_ < tokens_.size(); ++shown_)
    cursor.insertText(tokens_[shown_].text, format_of(tokens_[shown_], theme));
  cursor.endEditBlock();
  if (follow) bar.setValue(bar.maximum());
}

int TokenView::token_at(int position) const {
  if (position >= end_) return -1;
  const auto after = std::ranges::upper_bound(tokens_, position, {}, &Token::start);
  return static_cast<int>(after - tokens_.begin()) - 1;
}

QString TokenView::details(int token) const {
  const Token& it = tokens_.at(static_cast<std::size_t>(token));
  QString text = QStringLiteral("<b>%1</b>").arg(quoted(it.text).toHtmlEscaped());
  if (it.mean < 0) return text + QStringLiteral("<br>") + tr("Every layer dense: no router used.");
  text += QStringLiteral("<br>") + tr("%1 routed experts on per converted layer").arg(number_text(it.mean)) +
          QStringLiteral("<table cellspacing=\"4\">");
  for (std::size_t from = 0; from < it.experts.size(); from += layers_in_a_line) {
    const std::size_t to = std::min(from + layers_in_a_line, it.experts.size());
    text += QStringLiteral("<tr><td>") + tr("layers %1–%2").arg(from).arg(to - 1) + QStringLiteral("</td>");
    for (std::size_t layer = from; layer < to; ++layer)
      text += QStringLiteral("<td align=\"right\"><b>%1</b></td>")
                  .arg(it.experts[layer] < 0 ? tr("dense") : QString::number(it.experts[layer]));
    text += QStringLiteral("</tr>");
  }
  return text + QStringLiteral("</table>");
}

QString TokenView::summary(int token) const {
  const Token& it = tokens_.at(static_cast<std::size_t>(token));
  if (it.mean < 0) return tr("%1: every layer dense").arg(quoted(it.text));
  QStringList layers;
  for (const int on : it.experts) layers << (on < 0 ? tr("dense") : QString::number(on));
  return tr("%1: experts on, layer by layer: %2").arg(quoted(it.text), layers.join(QStringLiteral(" · ")));
}

QTextCharFormat TokenView::format_of(const Token& token, const Theme& theme) const {
  QTextCharFormat format;
  format.setForeground(theme.text);
  if (token.mean >= 0) format.setBackground(tint(theme, (token.mean - few_) / (many_ - few_)));
  return format;
}

// cursorForPosition gives the nearest gap between two characters.
int TokenView::token_under(const QPoint& point) const {
  const QTextCursor cursor = cursorForPosition(point);
  const QRect gap = cursorRect(cursor);
  const int reach = 2 * fontMetrics().averageCharWidth();
  if (point.y() < gap.top() || point.y() > gap.bottom() || std::abs(point.x() - gap.left()) > reach)
    return -1;
  return token_at(point.x() < gap.left() ? cursor.position() - 1 : cursor.position());
}

void TokenView::mouseMoveEvent(QMouseEvent* event) {
  QPlainTextEdit::mouseMoveEvent(event);
  const int token = token_under(event->position().toPoint());
  if (token >= 0)
    QToolTip::showText(event->globalPosition().toPoint(), details(token), viewport());
  else
    QToolTip::hideText();
  emit pointed(token);
}

void TokenView::leaveEvent(QEvent* event) {
  QPlainTextEdit::leaveEvent(event);
  emit pointed(-1);
}

void TokenView::point_at_cursor() {
  if (hasFocus()) emit pointed(token_at(textCursor().position()));
}

void TokenView::recolour() {
  const Theme theme = theme_of(palette());
  QTextCursor cursor(document());
  cursor.beginEditBlock();
  cursor.setPosition(prompt_end_, QTextCursor::KeepAnchor);
  cursor.setCharFormat(prompt_format(theme));
  for (std::size_t i = 0; i < shown_; ++i) {
    cursor.setPosition(tokens_[i].start);
    cursor.setPosition(tokens_[i].start + static_cast<int>(tokens_[i].text.size()), QTextCursor::KeepAnchor);
    cursor.setCharFormat(format_of(tokens_[i], theme));
  }
  cursor.endEditBlock();
}

void TokenView::changeEvent(QEvent* event) {
  QPlainTextEdit::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
