#include "ui/models/command_lines.h"

#include <algorithm>
#include <optional>

#include <QLocale>

#include "base/error.h"
#include "ui/engine/engine.h"
#include "ui/models/policy_editor.h"
#include "ui/models/policy_request.h"
#include "ui/models/run_history.h"

namespace ladimo::ui {
namespace {

/// False also where the command line refuses the request, such as one for times that no policy shortens.
bool leads_to(const PolicyEditor& editor, const PolicyRequest& request, const Policy& policy) try {
  const auto& run = editor.run();
  return same_choice(solve(*run.tradeoff, run.latency ? &*run.latency : nullptr, request), policy);
} catch (const Refusal&) {
  return false;
}

/// The request that leads to a policy: the window's own, or one that pins every layer.
PolicyRequest request_for(const PolicyEditor& editor, const Policy& policy) {
  if (const PolicyRequest chosen = request_of(editor); leads_to(editor, chosen, policy)) return chosen;
  PolicyRequest pinned{.tradeoff = 0};
  if (leads_to(editor, pinned, policy)) return pinned;  // all dense
  for (std::size_t l = 0; l < policy.layers.size(); ++l)
    pinned.pins.push_back({static_cast<int>(l), policy.layers[l]});
  return pinned;
}

QStringList arguments_of(const PolicyEditor& editor, const Policy& policy) {
  const PolicyRequest request = request_for(editor, policy);
  QStringList arguments{QStringLiteral("policy"), editor.run().folder, QStringLiteral("--tradeoff"),
                        QString::number(*request.tradeoff, 'g', QLocale::FloatingPointShortest)};
  if (request.cost == Cost::decode_ms) arguments << QStringLiteral("--cost") << QStringLiteral("decode_ms");
  if (editor.allowed() != Allowed::all_grains)
    arguments << QStringLiteral("--grains") << QLatin1String(spelling_of(editor.allowed()));
  if (!editor.run().recipe.target.empty()) arguments << QStringLiteral("--for") << QStringLiteral("none");
  for (const Pin& pin : request.pins)
    arguments << QStringLiteral("--pin")
              << QStringLiteral("%1=%2").arg(pin.layer).arg(QString::fromStdString(to_string(pin.policy)));
  return arguments;
}

/// The file of the run that holds a policy. Empty: it is the run's own, which commands take by themselves.
std::optional<QString> file_of(PolicyEditor& editor, const Policy& policy) {
  const RunHistory& history = RunHistory::of(editor);
  if (history.gone()) return {};
  if (history.run_policy() && same_choice(*history.run_policy(), policy)) return QString();
  const auto at = std::ranges::find_if(history.policies(),
                                       [&](const auto& named) { return same_choice(named.second, policy); });
  if (at == history.policies().end()) return {};
  return QStringLiteral("%1/policies/%2.json").arg(editor.run().folder, at->first);
}

}  // namespace

QString command_line(const QStringList& arguments) {
  QStringList words{QStringLiteral("ladimo")};
  for (const QString& argument : arguments) words << shell_word(argument);
  return words.join(' ');
}

QString policy_command(const PolicyEditor& editor) {
  return command_line(arguments_of(editor, editor.policy()));
}

QString command_under(PolicyEditor& editor, const Policy& policy, QStringList arguments) {
  const auto file = file_of(editor, policy);
  if (file && file->isEmpty()) return command_line(arguments);
  const QString name = file.value_or(QStringLiteral("policy.json"));
  const QString line = command_line(arguments << QStringLiteral("--policy") << name);
  if (file) return line;
  return command_line(arguments_of(editor, policy) << QStringLiteral("-o") << name) + '\n' + line;
}

}  // namespace ladimo::ui
