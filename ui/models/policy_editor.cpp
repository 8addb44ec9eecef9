#include "ui/models/policy_editor.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <QUndoCommand>

#include "policy/predictor.h"

namespace ladimo::ui {
namespace {

constexpr double middle_tradeoff = 0.5;

/// Everything a person decides. The policy follows from it and from the run's tables.
struct Choice {
  Cost cost = Cost::activated;
  double tradeoff = middle_tradeoff;
  Allowed allowed = Allowed::all_grains;
  std::map<int, LayerPolicy> pins;
  ModelPolicy held = {};              // instead of a point of the frontier; empty: not held
  std::optional<double> origin = {};  // where the held policy is on the frontier of the other cost
  bool operator==(const Choice&) const = default;
};

std::vector<Pin> pins_of(const Choice& choice) {
  std::vector<Pin> pins;
  for (const auto& [layer, policy] : choice.pins) pins.push_back({layer, policy});
  return pins;
}

Grains grains_of(Allowed allowed) {
  switch (allowed) {
    case Allowed::experts:
      return {true, false, false};
    case Allowed::neurons_and_inputs:
      return {false, true, true};
    case Allowed::all_grains:
      break;
  }
  return {};
}

bool same(const LayerPolicy& a, const LayerPolicy& b) {
  const auto same_cut = [](const InputCut& x, const InputCut& y) { return x.threshold == y.threshold; };
  return a.kind == b.kind && a.k == b.k && a.threshold == b.threshold &&
         std::ranges::equal(a.cuts, b.cuts, same_cut);
}

/// What must be allowed for a policy to be a point of the frontier.
Allowed allowed_by(const Policy& policy) {
  const auto cuts = [](const LayerPolicy& layer) { return layer.cuts_inputs(); };
  return std::ranges::any_of(policy.layers, cuts) ? Allowed::all_grains : Allowed::experts;
}

/// The layers of `wanted` in which it differs from another policy.
std::map<int, LayerPolicy> differences(const ModelPolicy& wanted, const ModelPolicy& other) {
  std::map<int, LayerPolicy> different;
  for (std::size_t l = 0; l < wanted.size(); ++l)
    if (!same(wanted[l], other[l])) different[static_cast<int>(l)] = wanted[l];
  return different;
}

/// The policy's cost with what rounding in the sums may add.
double budget_of(const PolicyNumbers& numbers, Cost cost) { return cost_of(numbers, cost) * (1 + 1e-9); }

double tradeoff_at(const Frontier& frontier, double budget) {
  const double way = frontier.dense_cost() - frontier.cheapest_cost();
  return way > 0 ? std::clamp((frontier.dense_cost() - budget) / way, 0.0, 1.0) : 0;
}

}  // namespace

bool same_choice(const Policy& a, const Policy& b) { return std::ranges::equal(a.layers, b.layers, same); }

double cost_of(const PolicyNumbers& numbers, Cost cost) {
  return cost == Cost::activated ? numbers.activated_parameters : numbers.decode_ms.value_or(0);
}

struct PolicyEditor::State {
  const TradeoffTable& table;
  const LatencyTable* latency;
  Predictor predictor;
  Choice choice;
  Frontier frontier;
  Policy policy;
  bool milliseconds_pay;
  int gesture = 0;  // moves with the same number are one undo step
  /// What the last gesture began with, and which layers it is about. Not told of moves of the slider.
  struct Gesture {
    int number;
    ModelPolicy before;
    std::vector<int> asked;
  };
  std::optional<Gesture> last;
  bool editing = false;  // else a step is undone or redone

  State(const TradeoffTable& tradeoff, const LatencyTable* times)
      : table(tradeoff),
        latency(times),
        predictor(table, latency),
        frontier(table, latency, Cost::activated),
        policy(frontier.at_tradeoff(middle_tradeoff)),
        milliseconds_pay(times != nullptr && Frontier(table, times, Cost::decode_ms).beats_dense()) {}

  Frontier frontier_of(const Choice& what) const {
    return {table, latency, what.cost, pins_of(what), Kinds::mixed, {grains_of(what.allowed)}};
  }

  /// The numbers as the frontier predicts them for its own points.
  PolicyNumbers numbers_of(const Choice& what, const ModelPolicy& layers) const {
    const bool cuts = table.sizes && what.allowed != Allowed::experts;
    return cuts ? predictor.numbers(layers, true) : predictor.numbers(layers);
  }

  static void let_go(Choice& next) {
    next.held.clear();
    next.origin.reset();
  }

  /// Moves the slider so that the budget stays the same when the pins change. Pinning a layer as it is then
  /// changes nothing.
  void keep_budget(Choice& next) const {
    let_go(next);
    const double budget =
        ((1 - choice.tradeoff) * frontier.dense_cost() + choice.tradeoff * frontier.cheapest_cost()) *
        (1 + 1e-9);  // allows for rounding in the sums
    next.tradeoff = tradeoff_at(frontier_of(next), budget);
  }

  /// Holds these layers, with the slider where their cost is.
  void hold(Choice& next, ModelPolicy layers) const {
    next.tradeoff = tradeoff_at(frontier_of(next), budget_of(numbers_of(next, layers), next.cost));
    next.origin.reset();
    next.held = std::move(layers);
  }

  Policy held_policy(const Choice& what) const {
    Policy held{table.fingerprint, what.cost, what.tradeoff, what.held, numbers_of(what, what.held), {}};
    for (const auto& [layer, pinned] : what.pins) held.pinned.push_back(layer);
    return held;
  }

  /// Takes only milliseconds if nothing but the place on the frontier changes.
  void choose(Choice next) {
    if (next.cost != choice.cost || next.allowed != choice.allowed || next.pins != choice.pins)
      frontier = frontier_of(next);
    policy = next.held.empty() ? frontier.at_tradeoff(next.tradeoff) : held_policy(next);
    choice = std::move(next);
  }

  Choice explanation_of_pinned(const Policy& wanted) const;
  Choice explanation(const Policy& wanted) const;
};

/// What a person may have chosen to get a policy that has pins: what may be left out is not saved with it.
/// The policy is held where no choice leads to it.
Choice PolicyEditor::State::explanation_of_pinned(const Policy& wanted) const {
  Choice found{latency == nullptr ? Cost::activated : wanted.cost, wanted.tradeoff, {}, {}};
  for (const int layer : wanted.pinned) found.pins[layer] = wanted.layers[static_cast<std::size_t>(layer)];
  for (const Allowed allowed :
       {allowed_by(wanted), Allowed::all_grains, Allowed::experts, Allowed::neurons_and_inputs}) {
    found.allowed = allowed;
    if (differences(wanted.layers, frontier_of(found).at_tradeoff(found.tradeoff).layers).empty())
      return found;
  }
  found.allowed = allowed_by(wanted);
  hold(found, wanted.layers);
  return found;
}

/// A position of the slider and pins, as few as possible, that lead to a given policy. A policy without pins
/// of its own may come from anywhere: the layers are pinned in which it differs from the most similar point
/// of the frontier. With these pins the policy's cost gives the position; layers that still differ are
/// pinned, too. If those are most layers, the policy is not one of the frontier with pins, and is held.
Choice PolicyEditor::State::explanation(const Policy& wanted) const {
  if (!wanted.pinned.empty()) return explanation_of_pinned(wanted);
  Choice found{latency == nullptr ? Cost::activated : wanted.cost, wanted.tradeoff, allowed_by(wanted), {}};
  Frontier walked = frontier_of(found);
  found.pins = differences(wanted.layers, walked.at_tradeoff(wanted.tradeoff).layers);
  constexpr int stops = 100;
  for (int stop = 0; stop <= stops && !found.pins.empty(); ++stop) {
    const double tradeoff = static_cast<double>(stop) / stops;
    auto pins = differences(wanted.layers, walked.at_tradeoff(tradeoff).layers);
    if (pins.size() >= found.pins.size()) continue;
    found.pins = std::move(pins);
    found.tradeoff = tradeoff;
  }
  const double budget = budget_of(predictor.numbers(wanted.layers), found.cost);
  while (!found.pins.empty() && 2 * found.pins.size() <= wanted.layers.size()) {
    walked = frontier_of(found);
    found.tradeoff = walked.at_budget(budget).tradeoff;
    auto more = differences(wanted.layers, walked.at_tradeoff(found.tradeoff).layers);
    if (more.empty()) return found;
    found.pins.merge(more);
  }
  if (found.pins.empty()) return found;
  found.pins.clear();
  hold(found, wanted.layers);
  return found;
}

namespace {

/// An undo step: from one choice to another. Moves of one gesture merge.
class Step : public QUndoCommand {
 public:
  using Apply = std::function<void(const Choice&)>;
  static constexpr int own = -1;  // a gesture that merges with nothing

  Step(const QString& text, Choice before, Choice after, int gesture, Apply apply)
      : QUndoCommand(text),
        before_(std::move(before)),
        after_(std::move(after)),
        gesture_(gesture),
        apply_(std::move(apply)) {}

  int id() const override { return gesture_; }
  void undo() override { apply_(before_); }
  void redo() override { apply_(after_); }
  bool mergeWith(const QUndoCommand* later) override {
    after_ = static_cast<const Step*>(later)->after_;
    return true;
  }

 private:
  Choice before_, after_;
  int gesture_;
  Apply apply_;
};

}  // namespace

PolicyEditor::PolicyEditor(std::shared_ptr<const RunData> run, QObject* parent)
    : QObject(parent),
      run_(std::move(run)),
      state_(std::make_unique<State>(*run_->tradeoff, run_->latency ? &*run_->latency : nullptr)) {
  if (run_->policy) state_->choose(state_->explanation(*run_->policy));
}

PolicyEditor::~PolicyEditor() = default;

Cost PolicyEditor::cost() const { return state_->choice.cost; }
double PolicyEditor::tradeoff() const { return state_->choice.tradeoff; }
Allowed PolicyEditor::allowed() const { return state_->choice.allowed; }
bool PolicyEditor::knows_inputs() const { return state_->table.sizes.has_value(); }
const std::map<int, LayerPolicy>& PolicyEditor::pins() const { return state_->choice.pins; }
const Policy& PolicyEditor::policy() const { return state_->policy; }
const Frontier& PolicyEditor::frontier() const { return state_->frontier; }
bool PolicyEditor::milliseconds_pay() const { return state_->milliseconds_pay; }

Candidate PolicyEditor::price(int layer, const LayerPolicy& policy) const {
  return state_->predictor.evaluate(layer, policy);
}

double PolicyEditor::decode_ms(const LayerPolicy& policy) const {
  return state_->predictor.decode_ms(policy);
}

PolicyNumbers PolicyEditor::predicted(const Policy& policy) const {
  return state_->predictor.numbers(policy.layers);
}

bool PolicyEditor::is_loaded(const Policy& loaded) const {
  return same_choice(loaded, policy()) && state_->explanation(loaded).pins == pins();
}

bool PolicyEditor::held() const { return !state_->choice.held.empty(); }

std::vector<int> PolicyEditor::changed_layers() const {
  std::vector<int> changed;
  if (!state_->last) return changed;
  for (const auto& [layer, before] : differences(state_->last->before, policy().layers))
    if (!std::ranges::count(state_->last->asked, layer)) changed.push_back(layer);
  return changed;
}

bool PolicyEditor::solved_others() const {
  return state_->last && !state_->last->asked.empty() && !changed_layers().empty();
}

/// A move merges with those of its gesture. `asked`: the layers that the edit is about; none for a move of
/// the slider, which is about all and changes what it likes.
template <class Edit>
void PolicyEditor::change(const QString& text, bool move, std::optional<std::vector<int>> asked, Edit edit) {
  Choice next = state_->choice;
  edit(next);
  if (next == state_->choice) return;
  if (!move) commit();
  auto& last = state_->last;
  if (!asked)
    last.reset();
  else if (!last || last->number != state_->gesture || last->asked != *asked)
    last = State::Gesture{state_->gesture, policy().layers, std::move(*asked)};
  const auto apply = [this](const Choice& choice) {
    if (!state_->editing) state_->last = State::Gesture{++state_->gesture, policy().layers, {}};
    state_->choose(choice);
    emit changed();
  };
  state_->editing = true;
  undo_.push(new Step(text, state_->choice, std::move(next), move ? state_->gesture : Step::own, apply));
  state_->editing = false;
}

void PolicyEditor::move_to(Cost cost, double tradeoff) {
  change(tr("move the trade-off"), true, std::nullopt, [&](Choice& next) {
    next.cost = cost;
    next.tradeoff = tradeoff;
    State::let_go(next);
  });
}

void PolicyEditor::pin(const std::vector<Pin>& pins) {
  std::vector<Pin> priced;
  std::vector<int> layers;
  for (const Pin& pin : pins) {
    priced.push_back({pin.layer, price(pin.layer, pin.policy).policy});  // throws if the layer cannot have it
    layers.push_back(pin.layer);
  }
  const QString text =
      pins.size() == 1 ? tr("pin layer %1").arg(pins.front().layer) : tr("pin %1 layers").arg(pins.size());
  change(text, true, std::move(layers), [&](Choice& next) {
    for (const Pin& pin : priced) next.pins[pin.layer] = pin.policy;
    if (next.held.empty()) return state_->keep_budget(next);
    ModelPolicy held = next.held;
    for (const Pin& pin : priced) held[static_cast<std::size_t>(pin.layer)] = pin.policy;
    state_->hold(next, std::move(held));
  });
}

void PolicyEditor::keep_others() {
  ModelPolicy kept = state_->last->before;
  for (const int layer : state_->last->asked)
    kept[static_cast<std::size_t>(layer)] = policy().layers[static_cast<std::size_t>(layer)];
  change(tr("keep the other layers"), false, std::vector<int>(),
         [&](Choice& next) { state_->hold(next, std::move(kept)); });
}

void PolicyEditor::commit() { ++state_->gesture; }

void PolicyEditor::set_cost(Cost cost) {
  change(tr("change the cost"), false, std::vector<int>(), [&](Choice& next) {
    next.cost = cost;
    if (next.cost == state_->choice.cost) return;
    if (next.origin) {
      next.tradeoff = *next.origin;
      return State::let_go(next);
    }
    state_->hold(next, policy().layers);
    if (!held()) next.origin = state_->choice.tradeoff;
  });
}

void PolicyEditor::set_allowed(Allowed allowed) {
  change(tr("change what is skipped"), false, std::vector<int>(), [&](Choice& next) {
    next.allowed = allowed;
    state_->keep_budget(next);
  });
}

void PolicyEditor::unpin(const std::vector<int>& layers) {
  const QString text = layers.size() == 1 ? tr("unpin layer %1").arg(layers.front())
                                          : tr("unpin %1 layers").arg(layers.size());
  change(text, false, layers, [&](Choice& next) {
    if (!std::erase_if(next.pins, [&](const auto& pin) { return std::ranges::count(layers, pin.first) > 0; }))
      return;
    next.held.empty() ? state_->keep_budget(next) : state_->hold(next, next.held);
  });
}

void PolicyEditor::reset_pins() {
  change(tr("reset pins"), false, std::vector<int>(), [&](Choice& next) {
    next.pins.clear();
    state_->keep_budget(next);
  });
}

void PolicyEditor::load(const Policy& policy) {
  Choice loaded = state_->explanation(policy);
  change(tr("load a policy"), false, std::vector<int>(), [&](Choice& next) { next = std::move(loaded); });
}

}  // namespace ladimo::ui
