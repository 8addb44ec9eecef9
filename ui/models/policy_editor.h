// The policy that is being chosen: one slider for all layers, pins for single layers, undo. A policy changes
// nowhere else in the window; every panel follows the editor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <QObject>
#include <QUndoStack>

#include "policy/frontier.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

/// What the slider may leave out. Formats of other programs know experts alone.
enum class Allowed { all_grains, experts, neurons_and_inputs };

/// Whether two policies choose the same experts and inputs in every layer. What runs on average is a
/// consequence of that and is not compared.
bool same_choice(const Policy& a, const Policy& b);

/// Activated parameters, or milliseconds; 0 where there are no times.
double cost_of(const PolicyNumbers& numbers, Cost cost);

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
  Allowed allowed() const;
  /// Whether the run knows single inputs. If it does not, only experts can be left out.
  bool knows_inputs() const;
  const std::map<int, LayerPolicy>& pins() const;
  const Policy& policy() const;  // with its predicted numbers, times included
  const Frontier& frontier() const;
  /// Whether the policy is kept as it is, wherever the frontier runs, until somebody moves the slider, resets
  /// the pins or changes what may be left out. The slider then stands where the policy's cost is.
  bool held() const;
  /// The layers that the last edit changed beside those it was about; nothing after a move of the slider.
  std::vector<int> changed_layers() const;
  /// Whether the last edit was about some layers and changed others, to keep the budget.
  bool solved_others() const;
  /// Whether any policy decodes faster than dense in measured milliseconds. If none does, there is no point
  /// in choosing decode_ms as the cost.
  bool milliseconds_pay() const;
  /// What the tables say about one layer under a policy.
  Candidate price(int layer, const LayerPolicy& policy) const;
  /// Decode time of one layer, in ms per token: its FFN, less what single inputs save. Precondition: the run
  /// has measured times, and the policy is one that price() gave.
  double decode_ms(const LayerPolicy& policy) const;
  /// What the tables predict for a policy. The predictions that the policy itself holds are ignored.
  PolicyNumbers predicted(const Policy& policy) const;
  /// Whether loading this policy would leave layers and pins as they are. Files of earlier versions do not
  /// tell which layers were pinned.
  bool is_loaded(const Policy& policy) const;
  QUndoStack& undo() { return undo_; }
  /// Whether the policy is still the one at which the editor started.
  bool at_start() const { return undo_.index() == 0; }

  /// Moves the slider. Moves without a `commit` between them become one undo step.
  void set_tradeoff(double tradeoff) { move_to(cost(), tradeoff); }
  /// Moves the slider of another cost. Precondition as for set_cost().
  void move_to(Cost cost, double tradeoff);
  /// Fixes the policies of layers. The others are solved again so that the budget stays, unless the policy is
  /// held. Throws Refusal when a layer does not exist or cannot have its policy.
  void pin(const std::vector<Pin>& pins);
  void pin(int layer, const LayerPolicy& policy) { pin({{layer, policy}}); }
  /// Puts the layers back that the last edit solved again. Precondition: solved_others().
  void keep_others();
  void commit();
  /// The policy is held. Precondition: `cost` is activated, or the run has measured times.
  void set_cost(Cost cost);
  /// Precondition: knows_inputs().
  void set_allowed(Allowed allowed);
  void unpin(const std::vector<int>& layers);
  void reset_pins();
  /// Takes over a policy, such as a saved one. Layers in which it differs from the frontier become pins; if
  /// those are most of them, it is held instead.
  void load(const Policy& policy);

 signals:
  /// The policy, and with it every predicted number, changed.
  void changed();

 private:
  struct State;
  template <class Edit>
  void change(const QString& text, bool move, std::optional<std::vector<int>> asked, Edit edit);

  std::shared_ptr<const RunData> run_;
  std::unique_ptr<State> state_;
  QUndoStack undo_;
};

}  // namespace ladimo::ui
