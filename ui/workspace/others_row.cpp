#include "ui/workspace/others_row.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/models/policy_editor.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

OthersRow::OthersRow(PolicyEditor& editor, QWidget* parent)
    : QWidget(parent), editor_(editor), told_(new QLabel), keep_(new QPushButton(tr("&Keep the others"))) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->setSpacing(spacing(*this));
  row->addWidget(told_, 1);
  row->addWidget(keep_);
  told_->setObjectName(QStringLiteral("others"));
  told_->setWordWrap(true);
  keep_->setObjectName(QStringLiteral("keep_others"));
  keep_->setToolTip(tr("Leaves all other layers as they were, whatever that costs"));
  connect(keep_, &QPushButton::clicked, &editor_, &PolicyEditor::keep_others);
  connect(&editor_, &PolicyEditor::changed, this, &OthersRow::follow);
  follow();
}

// The row is always there, so that nothing jumps.
void OthersRow::follow() {
  const bool solved = editor_.solved_others();
  keep_->setEnabled(solved);
  const auto count = editor_.changed_layers().size();
  told_->setText(solved && count == 1 ? tr("1 other layer changed to keep the budget.")
                 : solved             ? tr("%1 other layers changed to keep the budget.").arg(count)
                 : editor_.held()
                     ? tr("Layers stay as they are until you move the trade-off slider or reset the pins.")
                     : tr("Other layers change to keep the budget."));
}

}  // namespace ladimo::ui
