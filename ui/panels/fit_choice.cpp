#include "ui/panels/fit_choice.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>

#include "ui/engine/lexicon.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int most_passes = 20;

}  // namespace

FitChoice::FitChoice(QWidget* parent)
    : QWidget(parent), fit_(new QCheckBox(label_of(Setting::fit))), passes_(new QSpinBox) {
  fit_->setObjectName(QStringLiteral("fit"));
  passes_->setObjectName(QStringLiteral("finish_passes"));
  passes_->setRange(0, most_passes);
  passes_->setSpecialValueText(tr("none"));
  const auto show_unit = [this](int passes) {
    passes_->setSuffix(passes == 1 ? tr(" pass over the text") : tr(" passes over the text"));
  };
  connect(passes_, &QSpinBox::valueChanged, this, show_unit);
  show_unit(0);
  passes_->setToolTip(
      tr("Trains the fitted layers together for the exported policy, which brings them closer to the "
         "original. A pass over the calibration text takes about as long as an epoch of the conversion's "
         "finish. The whole model must fit into memory"));
  passes_->setAccessibleName(label_of(Setting::finish).remove('&'));
  auto* then = new QLabel(label_of(Setting::finish));
  then->setBuddy(passes_);
  connect(fit_, &QCheckBox::toggled, passes_, &QWidget::setEnabled);
  connect(fit_, &QCheckBox::clicked, this, &FitChoice::changed);

  const int space = spacing(*this);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->setSpacing(space);
  row->addWidget(fit_);
  row->addSpacing(space);
  row->addWidget(then);
  row->addWidget(passes_);
  row->addStretch(1);
}

void FitChoice::offer(const ExportChoice& choice) {
  fit_->setEnabled(choice.possible && choice.expressible && !choice.native());
  fit_->setChecked(choice.needs_fit());
  passes_->setEnabled(fit_->isChecked());
  fit_->setToolTip(choice.needs_fit() ? tr("This format needs a fit")
                   : choice.may_fit() ? tr("Re-solves the layers for this format and measures the result")
                   : choice.native()  ? tr("This format supports every policy, so there is nothing to fit")
                                      : tr("This format cannot hold the model, even with a fit"));
}

bool FitChoice::fit() const { return fit_->isChecked(); }

int FitChoice::passes() const { return fit() ? passes_->value() : 0; }

}  // namespace ladimo::ui
