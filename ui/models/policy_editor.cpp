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

std::map<int, LayerPolicy> differences(const Policy& wanted, const Policy& solved) {
  std::map<int, LayerPolicy> different;
  for (std::size_t l = 0; l < wanted.layers.size(); ++l)
    if (!same(wanted.layers[l], solved.layers[l])) different[static_cast<int>(l)] = wanted.layers[l];
  return different;
}

}  // namespace

bool same_choice(const Policy& a, const Policy& b) { return std::ranges::equal(a.layers, b.layers, same); }

struct PolicyEditor::State {
  const TradeoffTable& table;
  const LatencyTable* latency;
  Predictor predictor;
  Choice choice;
  Frontier frontier;
  Policy policy;
  bool milliseconds_pay;
  int gesture = 0;  // moves with the same number are one undo step

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

  /// Moves the slider so that the budget stays the same when the pins change. Pinning a layer as it is then
  /// changes nothing.
  void keep_budget(Choice& next) const {
    const double budget =
        ((1 - choice.tradeoff) * frontier.dense_cost() + choice.tradeoff * frontier.cheapest_cost()) *
        (1 + 1e-9);  // allows for rounding in the sums
    const Frontier walked = frontier_of(next);
    const double way = walked.dense_cost() - walked.cheapest_cost();
    if (way > 0) next.tradeoff = std::clamp((walked.dense_cost() - budget) / way, 0.0, 1.0);
  }

  /// Takes only milliseconds if nothing but the place on the frontier changes.
  void choose(Choice next) {
    if (next.cost != choice.cost || next.allowed != choice.allowed || next.pins != choice.pins)
      frontier = frontier_of(next);
    policy = frontier.at_tradeoff(next.tradeoff);
    choice = std::move(next);
  }

  Choice explanation(const Policy& wanted) const;
};

/// A position of the slider and pins, as few as possible, that lead to a given policy. Pins the layers in
/// which the policy differs from the most similar point of the frontier. With these pins the policy's cost
/// gives the position; layers that still differ are pinned, too.
Choice PolicyEditor::State::explanation(const Policy& wanted) const {
  Choice found{latency == nullptr ? Cost::activated : wanted.cost, wanted.tradeoff, allowed_by(wanted), {}};
  Frontier walked = frontier_of(found);
  found.pins = differences(wanted, walked.at_tradeoff(wanted.tradeoff));
  constexpr int stops = 100;
  for (int stop = 0; stop <= stops && !found.pins.empty(); ++stop) {
    const double tradeoff = static_cast<double>(stop) / stops;
    auto pins = differences(wanted, walked.at_tradeoff(tradeoff));
    if (pins.size() >= found.pins.size()) continue;
    found.pins = std::move(pins);
    found.tradeoff = tradeoff;
  }
  const PolicyNumbers numbers = predictor.numbers(wanted.layers);
  const double cost = found.cost == Cost::activated ? numbers.activated_parameters : *numbers.decode_ms;
  while (!found.pins.empty()) {
    walked = frontier_of(found);
    found.tradeoff = walked.at_budget(cost * (1 + 1e-9)).tradeoff;  // allows for rounding in the sums
    auto more = differences(wanted, walked.at_tradeoff(found.tradeoff));
    if (more.empty()) break;
    found.pins.merge(more);
  }
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

template <class Edit>
void PolicyEditor::change(const QString& text, bool move, Edit edit) {
  Choice next = state_->choice;
  edit(next);
  if (next == state_->choice) return;
  if (!move) commit();
  const auto apply = [this](const Choice& choice) {
    state_->choose(choice);
    emit changed();
  };
  undo_.push(new Step(text, state_->choice, std::move(next), move ? state_->gesture : Step::own, apply));
}

void PolicyEditor::set_tradeoff(double tradeoff) {
  change(tr("move the trade-off"), true, [&](Choice& next) { next.tradeoff = tradeoff; });
}

void PolicyEditor::pin(int layer, const LayerPolicy& policy) {
  const LayerPolicy priced = price(layer, policy).policy;  // throws if the layer cannot have it
  change(tr("pin layer %1").arg(layer), true, [&](Choice& next) {
    next.pins[layer] = priced;
    state_->keep_budget(next);
  });
}

void PolicyEditor::commit() { ++state_->gesture; }

void PolicyEditor::set_cost(Cost cost) {
  change(tr("change the cost"), false, [&](Choice& next) { next.cost = cost; });
}

void PolicyEditor::set_allowed(Allowed allowed) {
  change(tr("change what may be left out"), false, [&](Choice& next) {
    next.allowed = allowed;
    state_->keep_budget(next);
  });
}

void PolicyEditor::unpin(int layer) {
  change(tr("unpin layer %1").arg(layer), false, [&](Choice& next) {
    if (next.pins.erase(layer) > 0) state_->keep_budget(next);
  });
}

void PolicyEditor::reset_pins() {
  change(tr("reset pins"), false, [&](Choice& next) {
    next.pins.clear();
    state_->keep_budget(next);
  });
}

void PolicyEditor::load(const Policy& policy) {
  Choice loaded = state_->explanation(policy);
  change(tr("load a policy"), false, [&](Choice& next) { next = std::move(loaded); });
}

}  // namespace ladimo::ui
