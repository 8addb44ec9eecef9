#include "ui/models/run_history.h"

#include <algorithm>
#include <utility>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

RunHistory& RunHistory::of(PolicyEditor& editor) {
  auto* history = editor.findChild<RunHistory*>(QString(), Qt::FindDirectChildrenOnly);
  return history ? *history : *new RunHistory(editor);
}

RunHistory::RunHistory(PolicyEditor& editor)
    : QObject(&editor),
      editor_(editor),
      measurements_(editor.run().measurements),
      run_policy_(editor.run().policy) {
  for (const auto& [name, policy] : editor.run().policies)
    policies_.emplace(QString::fromStdString(name), policy);
}

const Measurement* RunHistory::newest(const Policy& policy, std::optional<EvaluatedText> split) const {
  const auto at = std::find_if(measurements_.rbegin(), measurements_.rend(), [&](const Measurement& one) {
    return one.has_text() && (!split || one.split == *split) && one.policy.layers == policy.layers;
  });
  return at == measurements_.rend() ? nullptr : &*at;
}

Policy RunHistory::with_measured(Policy policy) const {
  if (const Measurement* found = newest(policy, EvaluatedText::checking)) policy.measured = found->numbers;
  return policy;
}

Expected RunHistory::expected(const QString& name) const {
  if (name.isEmpty()) return {run_policy_};
  const auto at = policies_.find(name);
  if (at == policies_.end()) return {};
  return {at->second};
}

bool RunHistory::keeps_chosen() const {
  const auto is_chosen = [&](const Policy& kept) { return editor_.is_loaded(kept); };
  if (std::ranges::any_of(copies_, is_chosen)) return true;
  if (gone_) return false;
  if (run_policy_ ? is_chosen(*run_policy_) && (editor_.at_start() || !replaced_.contains(QString()))
                  : editor_.at_start())
    return true;
  return std::ranges::any_of(policies_, [&](const auto& named) {
    return is_chosen(named.second) && !replaced_.contains(named.first);
  });
}

void RunHistory::add(Measurement measurement) {
  measurements_.push_back(std::move(measurement));
  emit measurements_changed();
}

void RunHistory::set_policy(const QString& name, Policy policy) {
  replaced_.erase(name);
  policies_.insert_or_assign(name, std::move(policy));
  emit policies_changed();
}

void RunHistory::set_run_policy(Policy policy) {
  replaced_.erase(QString());
  run_policy_ = std::move(policy);
  emit policies_changed();
}

void RunHistory::add_copy(Policy policy) {
  copies_.push_back(std::move(policy));
  emit policies_changed();
}

void RunHistory::remove_policy(const QString& name) {
  if (policies_.erase(name) > 0) emit policies_changed();
}

}  // namespace ladimo::ui
