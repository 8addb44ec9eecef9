// What was measured and saved of a run: what it brought, and what came since it was opened.
#pragma once

#include <map>
#include <vector>

#include <QObject>

#include "ui/models/run_data.h"

namespace ladimo::ui {

class PolicyEditor;

/// One for every opened run; it belongs to the run's editor, so that all panels see the same.
class RunHistory : public QObject {
  Q_OBJECT
 public:
  static RunHistory& of(PolicyEditor& editor);

  const std::vector<Measurement>& measurements() const { return measurements_; }  // oldest first
  const std::map<QString, Policy>& policies() const { return policies_; }         // saved under a name

  /// The newest measurement of just this policy, null where there is none. `split`: of that text only.
  const Measurement* newest(const Policy& policy, const QString& split = {}) const;
  /// A policy as it is saved: with the numbers that were measured where its predictions are checked.
  Policy with_measured(Policy policy) const;

  void add(Measurement measurement);
  void set_policy(const QString& name, Policy policy);
  void remove_policy(const QString& name);

 signals:
  void measurements_changed();
  void policies_changed();

 private:
  explicit RunHistory(PolicyEditor& editor);

  std::vector<Measurement> measurements_;
  std::map<QString, Policy> policies_;
};

}  // namespace ladimo::ui
