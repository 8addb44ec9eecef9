// What the window would do, as lines for a shell.
#pragma once

#include <QString>
#include <QStringList>

#include "policy/policy_file.h"

namespace ladimo::ui {

class PolicyEditor;

/// "ladimo convert …" as a person types it into a shell.
QString command_line(const QStringList& arguments);

/// The command that makes the chosen policy the run's own.
QString policy_command(const PolicyEditor& editor);

/// A command on the run under a policy: `arguments` with --policy and its file. Where no file of the run
/// holds the policy, a line before it makes one.
QString command_under(PolicyEditor& editor, const Policy& policy, QStringList arguments);

}  // namespace ladimo::ui
