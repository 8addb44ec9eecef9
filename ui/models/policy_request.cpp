#include "ui/models/policy_request.h"

#include <QRegularExpression>

namespace ladimo::ui {

const char* spelling_of(Allowed allowed) {
  switch (allowed) {
    case Allowed::experts:
      return "experts";
    case Allowed::neurons_and_inputs:
      return "neurons,inputs";
    case Allowed::all_grains:
      break;
  }
  return "all";
}

PolicyRequest request_of(const PolicyEditor& editor) {
  PolicyRequest request{.cost = editor.cost(), .tradeoff = editor.tradeoff()};
  request.grains = parse_grains(spelling_of(editor.allowed()));
  for (const auto& [layer, policy] : editor.pins()) request.pins.push_back({layer, policy});
  return request;
}

std::optional<PolicyTarget> target_in(const QString& text) {
  static const QRegularExpression form(
      QStringLiteral("^\\s*(kl)?\\s*[=:≤]?\\s*(\\d*[.,]?\\d+)\\s*(%|x|×)?\\s*$"),
      QRegularExpression::CaseInsensitiveOption);
  const auto found = form.match(text);
  const bool kl = !found.captured(1).isEmpty();
  const QString unit = found.captured(3).toLower();
  if (!found.hasMatch() || (kl && !unit.isEmpty())) return {};
  const double number = found.captured(2).replace(',', '.').toDouble();
  if (kl) return PolicyTarget{.max_kl = number};
  if (unit == QLatin1String("%")) return PolicyTarget{.activated = number / 100};
  if (!unit.isEmpty()) return PolicyTarget{.speedup = number};
  // Without a unit only what can hardly be anything but a share is one.
  if (number >= 10 && number <= 100) return PolicyTarget{.activated = number / 100};
  if (number >= 0.1 && number <= 1) return PolicyTarget{.activated = number};
  return {};
}

void aim(PolicyEditor& editor, const PolicyTarget& target) {
  PolicyRequest request = request_of(editor);
  request.tradeoff.reset();
  request.activated = target.activated;
  request.max_kl = target.max_kl;
  request.speedup = target.speedup;
  if (target.activated) request.cost = Cost::activated;
  if (target.speedup) request.cost = Cost::decode_ms;
  const auto& run = editor.run();
  const Policy found = solve(*run.tradeoff, run.latency ? &*run.latency : nullptr, request);
  editor.commit();
  editor.move_to(request.cost, found.tradeoff);
  editor.commit();
}

}  // namespace ladimo::ui
