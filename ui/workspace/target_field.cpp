#include "ui/workspace/target_field.h"

#include "base/error.h"
#include "ui/models/policy_request.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {

TargetField::TargetField(PolicyEditor& editor, QWidget* parent) : QLineEdit(parent), editor_(editor) {
  const bool timed = editor.milliseconds_pay();
  setObjectName(QStringLiteral("target"));
  setPlaceholderText(timed ? tr("80 %, KL 0.02, 1.3×") : tr("80 % or KL 0.02"));
  setAccessibleName(tr("Target"));
  setToolTip(
      tr("A target for the slider. Type one of these and press Return:\n80 %: the best policy that uses 80 % "
         "of the parameters\nKL 0.02: the cheapest policy with a KL of at most 0.02\n1.3×: the best policy "
         "that decodes 1.3 times as fast as dense"));
  connect(this, &QLineEdit::returnPressed, this, &TargetField::aim_at_text);
}

void TargetField::aim_at_text() {
  const auto target = target_in(text());
  if (!target) {
    emit refused(tr("“%1” is not a target. Type for example 80 %, KL 0.02 or 1.3×.").arg(text()));
    return;
  }
  try {
    aim(editor_, *target);
    clear();
  } catch (const Refusal& refusal) {
    emit refused(complaint(refusal.problem()));
  }
}

}  // namespace ladimo::ui
