#include "ui/models/run_history.h"

#include <algorithm>
#include <utility>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

RunHistory& RunHistory::of(PolicyEditor& editor) {
  auto* history = editor.findChild<RunHistory*>(QString(), Qt::FindDirectChildrenOnly);
  return history ? *history : *new RunHistory(editor);
}

RunHistory::RunHistory(PolicyEditor& editor) : QObject(&editor), measurements_(editor.run().measurements) {
  for (const auto& [name, policy] : editor.run().policies)
    policies_.emplace(QString::fromStdString(name), policy);
}

const Measurement* RunHistory::newest(const Policy& policy, std::optional<EvaluatedText> split) const {
  const auto at = std::find_if(measurements_.rbegin(), measurements_.rend(), [&](const Measurement& one) {
    return (!split || one.split == *split) && one.policy.layers == policy.layers;
  });
  return at == measurements_.rend() ? nullptr : &*at;
}

Policy RunHistory::with_measured(Policy policy) const {
  if (const Measurement* found = newest(policy, EvaluatedText::checking)) policy.measured = found->numbers;
  return policy;
}

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
