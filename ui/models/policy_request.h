// A policy as a request that `ladimo policy` takes: the one behind the chosen policy, and targets that a
// person types.
#pragma once

#include <optional>

#include <QString>

#include "policy/frontier.h"
#include "ui/models/policy_editor.h"

namespace ladimo::ui {

/// As `--grains` takes it: "all", "experts", "neurons,inputs".
const char* spelling_of(Allowed allowed);

/// What leads to the chosen policy: its cost, its pins, what it may leave out, and the slider's place.
PolicyRequest request_of(const PolicyEditor& editor);

/// How far a policy shall go. Exactly one member is set.
struct PolicyTarget {
  std::optional<double> activated = {};  // share of the parameters that a token uses: "80 %"
  std::optional<double> max_kl = {};     // nats per token: "KL 0.02"
  std::optional<double> speedup = {};    // times as fast as dense: "1.3×", "1.3x"
};

/// None where the text is no target. A comma counts as a decimal point.
std::optional<PolicyTarget> target_in(const QString& text);

/// Moves the slider to the policy that `ladimo policy` finds for the target. Changes the cost where the
/// target needs another one. Throws Refusal that names what can be reached.
void aim(PolicyEditor& editor, const PolicyTarget& target);

}  // namespace ladimo::ui
