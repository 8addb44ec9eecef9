// The measurements and saved policies of an open run: those it came with and those made since. It knows
// therefore whether the chosen policy is kept anywhere.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <QObject>

#include "run/saved_policy.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

class PolicyEditor;

/// There is one for each open run. The run's editor owns it, so all panels share it.
class RunHistory : public QObject {
  Q_OBJECT
 public:
  static RunHistory& of(PolicyEditor& editor);

  const std::vector<Measurement>& measurements() const { return measurements_; }  // oldest first
  const std::map<QString, Policy>& policies() const { return policies_; }         // saved under a name

  /// The run's own policy, as this window read or saved it last.
  const std::optional<Policy>& run_policy() const { return run_policy_; }
  /// What the file of a policy should hold as far as this window knows. Without a name it is the run's.
  Expected expected(const QString& name) const;
  /// Whether the chosen policy is kept anywhere, so that closing the run would not lose it. A run without a
  /// policy starts at one that nobody chose; that one need not be kept, nor one that a run came with and that
  /// another program replaced.
  bool keeps_chosen() const;

  /// The newest measurement of exactly this policy on a text, or null. With `split` only measurements on that
  /// text count.
  const Measurement* newest(const Policy& policy, std::optional<EvaluatedText> split = {}) const;
  /// The policy as it is saved: with the numbers that were measured on the checking split.
  Policy with_measured(Policy policy) const;

  void add(Measurement measurement);
  void set_policy(const QString& name, Policy policy);
  void remove_policy(const QString& name);
  void set_run_policy(Policy policy);
  /// The policy was kept in a file outside the run, because it could not be in the run.
  void add_copy(Policy policy);
  /// Tells whether the run's folder, and with it every policy in it, is gone.
  void set_gone(bool gone) { gone_ = gone; }
  /// Tells which policies' files no longer hold what this window knows: their names, the run's without one.
  void set_replaced(std::set<QString> names) { replaced_ = std::move(names); }
  bool gone() const { return gone_; }

 signals:
  void measurements_changed();
  void policies_changed();

 private:
  explicit RunHistory(PolicyEditor& editor);

  const PolicyEditor& editor_;
  std::vector<Measurement> measurements_;
  std::map<QString, Policy> policies_;
  std::optional<Policy> run_policy_;
  std::vector<Policy> copies_;
  std::set<QString> replaced_;
  bool gone_ = false;
};

}  // namespace ladimo::ui
