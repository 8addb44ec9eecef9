#include "ui/panels/measured_figures.h"

#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>

#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/sentences.h"
#include "ui/models/text_scores_model.h"
#include "ui/models/theme.h"
#include "ui/panels/panel_text.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
MeasuredFigures::MeasuredFigures(QWidget* parent)
    : QWidget(parent), heading_(new QLabel), figures_(new QWidget) {
  const int space = spacing(*this);
  heading_->setWordWrap(true);
  heading_->setMinimumWidth(40 * space);                        // keeps its width without figures
  heading_->setMinimumHeight(2 * fontMetrics().lineSpacing());  // it wraps, and must not squeeze the figures
  heading_->setObjectName(QStringLiteral("figures_heading"));
  auto* grid = new QGridLayout(figures_);
  grid->setContentsMargins({});
  grid->setHorizontalSpacing(2 * space);
  grid->setVerticalSpacing(space / 2);
  grid->setColumnStretch(2, 1);
  kl_ = add_row(*grid, tr("KL, nats per token"),
                tr("Mean KL(dense ‖ converted) of the next-token distributions: 0 is the original"));
  percentiles_ =
      add_row(*grid, tr("KL percentiles"),
              tr("Half of the tokens are below the median, 95 % and 99 % below the next two values"));
  perplexity_ = add_row(*grid, tr("Perplexity"), tr("Original → converted model"));
  same_top_ = add_row(*grid, tr("Same top token"),
                      tr("How often both models rank the same token first, with its standard error"));
  activated_ = add_row(*grid, tr("Activated parameters"),
                       tr("Parameters used per token, counted from what ran, routers included"));
  ffn_ =
      add_row(*grid, tr("FFNs only"), tr("The same, in per cent of the parameters of the original's FFNs"));

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins({});
  layout->setSpacing(space);
  auto* top = new QHBoxLayout;
  top->addWidget(heading_, 1);
  top->addWidget(new HelpMark(Help::measured, *this), 0, Qt::AlignTop);
  layout->addLayout(top);
  layout->addWidget(figures_);
  recolour();
}

MeasuredFigures::Row MeasuredFigures::add_row(QGridLayout& grid, const QString& words, const QString& tip) {
  auto* label = new QLabel(words);
  const Row row{new QLabel, new QLabel};
  const int line = grid.rowCount();
  grid.addWidget(label, line, 0);
  grid.addWidget(row.measured, line, 1);
  grid.addWidget(row.beside, line, 2);
  row.measured->setAccessibleName(words);
  for (QLabel* part : {label, row.measured, row.beside}) part->setToolTip(tip);
  for (QLabel* part : {label, row.measured, row.beside}) part->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  for (QLabel* part : {row.measured, row.beside}) part->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return row;
}

void MeasuredFigures::show_measurement(const Measurement& m) {
  const PolicyNumbers& said = m.policy.predicted;
  heading_->setText(tr("%1 · %2 tokens · window %3 · %4")
                        .arg(text_in_words(m), grouped(m.tokens))
                        .arg(m.window)
                        .arg(date_in_words(m.date)));
  kl_.measured->setText(bold(number_text(m.numbers.kl)));
  kl_.beside->setText(tr("predicted %1").arg(number_text(said.kl)));
  percentiles_.measured->setText(tr("median %1").arg(bold(number_text(percentile(m.kl_percentiles, 50)))));
  percentiles_.beside->setText(tr("95 % %1 · 99 % %2<br>largest %3")
                                   .arg(bold(number_text(percentile(m.kl_percentiles, 95))),
                                        bold(number_text(percentile(m.kl_percentiles, 99))),
                                        bold(number_text(percentile(m.kl_percentiles, 100)))));
  perplexity_.measured->setText(
      tr("%1 → %2").arg(number_text(m.dense_perplexity), bold(number_text(m.numbers.perplexity))));
  perplexity_.beside->setText(m.dense_perplexity > 0 ? change_text(m.numbers.perplexity / m.dense_perplexity)
                                                     : QString());
  same_top_.measured->setText(bold(percent_text(m.same_top)));
  same_top_.beside->setText(tr("± %1").arg(percent_text(m.same_top_se)));
  activated_.measured->setText(bold(percent_text(m.numbers.activated_fraction)));
  activated_.beside->setText(
      tr("%1 per token<br>predicted %2")
          .arg(count_text(m.numbers.activated_parameters), percent_text(said.activated_fraction)));
  ffn_.measured->setText(bold(percent_text(m.numbers.ffn_activated)));
  ffn_.beside->setText(tr("predicted %1").arg(percent_text(said.ffn_activated)));
  figures_->show();
}

void MeasuredFigures::show_nothing(const QString& why) {
  heading_->setText(why);
  figures_->hide();
}

void MeasuredFigures::recolour() {
  const Theme theme = theme_of(palette());
  set_text_colour(*heading_, theme.faint);
}

void MeasuredFigures::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
