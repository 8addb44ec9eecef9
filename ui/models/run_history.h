// The measurements and saved policies of an open run: those it came with and those made since.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include <QObject>

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

  /// The newest measurement of exactly this policy, or null. With `split` only measurements on that text
  /// count.
  const Measurement* newest(const Policy& policy, std::optional<EvaluatedText> split = {}) const;
  /// The policy as it is saved: with the numbers that were measured on the checking split.
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
