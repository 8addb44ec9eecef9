#include "ui/panels/generation_side.h"

#include <algorithm>
#include <cmath>

#include <QEvent>
#include <QLabel>
#include <QProgressBar>
#include <QVBoxLayout>

#include "ui/models/numbers.h"
#include "ui/models/sentences.h"
#include "ui/models/theme.h"
#include "ui/panels/panel_text.h"
#include "ui/panels/token_view.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

/// Two digits: 104 -> "100", 9.87 -> "9.9".
QString rough_text(double value) {
  const int exponent = value > 0 ? static_cast<int>(std::floor(std::log10(value))) : 0;
  const double step = std::pow(10, exponent - 1);
  return QString::number(std::round(value / step) * step, 'f', std::max(0, 1 - exponent));
}

}  // namespace

GenerationSide::GenerationSide(Model model, QWidget* parent)
    : QWidget(parent),
      model_(model),
      title_(new QLabel(model == Model::dense ? tr("Original") : tr("Converted"))),
      view_(new TokenView),
      busy_(new QProgressBar),
      state_(new QLabel) {
  const int space = spacing(*this);
  QFont heading = font();
  heading.setBold(true);
  title_->setFont(heading);
  title_->setBuddy(view_);
  view_->setAccessibleName(title_->text());
  view_->setPlaceholderText(model == Model::dense ? tr("The text of the original model appears here.")
                                                  : tr("The text of the converted model appears here, each "
                                                       "token tinted by the number of experts it used."));
  busy_->setRange(0, 0);
  busy_->setTextVisible(false);
  busy_->setMaximumHeight(space);
  QSizePolicy keeps_its_room = busy_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  busy_->setSizePolicy(keeps_its_room);
  busy_->hide();
  state_->setObjectName(QStringLiteral("state"));
  state_->setWordWrap(true);
  state_->setAlignment(Qt::AlignTop);
  state_->setMinimumHeight(2 * fontMetrics().lineSpacing());
  state_->setTextInteractionFlags(Qt::TextSelectableByMouse);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins({});
  layout->setSpacing(space / 2);
  layout->addWidget(title_);
  layout->addWidget(view_, 1);
  layout->addWidget(busy_);
  layout->addWidget(state_);
  recolour();
}

void GenerationSide::hold(const QString& why) {
  begin({});
  view_->setPlaceholderText(tr("The text appears here token by token."));
  busy_->show();
  say(why);
}

void GenerationSide::wait() {
  begin({});
  view_->setPlaceholderText(tr("The text appears here when the other one is complete."));
  say(tr("Waiting for the other model"));
}

void GenerationSide::begin(const QString& prompt) {
  begun_ = false;
  busy_->hide();
  view_->begin(prompt);
  say({});
}

void GenerationSide::append(const TokenEvent& token) {
  view_->append(token);
  if (!begun_) {
    begun_ = true;
    since_first_.start();
    return;
  }
  const double seconds = static_cast<double>(since_first_.nsecsElapsed()) * 1e-9;
  if (seconds > 0) say_speed(view_->token_count(), (view_->token_count() - 1) / seconds);
}

void GenerationSide::finish(int tokens, double tokens_per_s) {
  busy_->hide();
  view_->flush();
  say_speed(tokens, tokens_per_s);
}

/// In two digits and not bold: one short text is no measurement of the speed.
void GenerationSide::say_speed(int tokens, double tokens_per_s) {
  say(tr("%1 tokens · about %2 tokens/s").arg(tokens).arg(rough_text(tokens_per_s)));
  state_->setToolTip(
      tr("A rough speed of this one text. Speed, on the page Evaluate, times both models in turns and tells "
         "how far the times spread."));
}

void GenerationSide::end(const Outcome& outcome) {
  busy_->hide();
  view_->flush();
  const bool stopped = outcome.kind == Outcome::Kind::canceled;
  if (view_->token_count() == 0)
    view_->setPlaceholderText(stopped ? tr("Stopped before the first token.")
                                      : tr("Nothing was generated; the reason is below."));
  say(stopped ? tr("Stopped after %1 tokens.").arg(view_->token_count()) : complaint(outcome).toHtmlEscaped(),
      !stopped);
}

void GenerationSide::say(const QString& text, bool failed) {
  state_->setText(text);
  state_->setToolTip({});
  if (failed == failed_) return;
  failed_ = failed;
  recolour();
}

void GenerationSide::recolour() {
  const Theme theme = theme_of(palette());
  set_text_colour(*title_, model_ == Model::dense ? theme.dense : theme.converted);
  set_text_colour(*state_, failed_ ? theme.error : theme.text);
}

void GenerationSide::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
