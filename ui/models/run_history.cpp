#include "ui/models/run_history.h"

#include <utility>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

RunHistory& RunHistory::of(PolicyEditor& editor) {
  auto* history = editor.findChild<RunHistory*>(QString(), Qt::FindDirectChildrenOnly);
  return history ? *history : *new RunHistory(editor);
}

RunHistory::RunHistory(PolicyEditor& editor)
    : QObject(&editor), measurements_(editor.run().measurements), policies_(editor.run().policies) {}

void RunHistory::add(Measurement measurement) {
  measurements_.push_back(std::move(measurement));
  emit measurements_changed();
}

void RunHistory::set_policy(const QString& name, Policy policy) {
  policies_.insert_or_assign(name, std::move(policy));
  emit policies_changed();
}

void RunHistory::remove_policy(const QString& name) {
  if (policies_.erase(name) > 0) emit policies_changed();
}

}  // namespace ladimo::ui
