// The policy that is being chosen: one slider for all layers, pins for single layers, undo. A policy changes
// nowhere else in the window; every panel follows the editor.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include <QObject>
#include <QUndoStack>

#include "policy/frontier.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

class PolicyEditor : public QObject {
  Q_OBJECT
 public:
  /// Starts at the run's policy, or at trade-off 0.5 where there is none. Precondition: the run has its
  /// trade-off table.
  explicit PolicyEditor(std::shared_ptr<const RunData> run, QObject* parent = nullptr);
  ~PolicyEditor() override;

  const RunData& run() const { return *run_; }
  Cost cost() const;
  double tradeoff() const;  // 0 most accurate ... 1 cheapest
  const std::map<int, LayerPolicy>& pins() const;
  const Policy& policy() const;  // with its predicted numbers, times included
  const Frontier& frontier() const;
  /// Whether any policy beats dense in measured milliseconds; without it decode_ms is no cost to choose.
  bool milliseconds_pay() const;
  /// What the tables say about one layer under a policy.
  Candidate price(int layer, const LayerPolicy& policy) const;
  /// What the tables predict for any policy, whatever it says of itself.
  PolicyNumbers predicted(const Policy& policy) const;
  QUndoStack& undo() { return undo_; }
  /// Whether the chosen policy is the one that the run was opened with or that was saved last.
  bool is_saved() const { return undo_.isClean(); }
  void mark_saved(const Policy& saved);

  /// Moves that follow one another without `commit` become one step of undo.
  void set_tradeoff(double tradeoff);
  /// Throws Refusal when the layer does not exist or cannot have this policy.
  void pin(int layer, const LayerPolicy& policy);
  void commit();
  /// Precondition: activated, or the run has measured times.
  void set_cost(Cost cost);
  void unpin(int layer);
  void reset_pins();
  /// Every layer's policy as given (a saved one): layers that differ from the frontier's become pins.
  void load(const Policy& policy);

 signals:
  /// The policy, and with it every predicted number, changed.
  void changed();

 private:
  struct State;
  template <class Edit>
  void change(const QString& text, bool move, Edit edit);

  std::shared_ptr<const RunData> run_;
  std::unique_ptr<State> state_;
  QUndoStack undo_;
};

}  // namespace ladimo::ui
