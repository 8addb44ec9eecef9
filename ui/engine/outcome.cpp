#include "ui/engine/outcome.h"

#include <algorithm>
#include <csignal>

#include <QObject>
#include <QStringList>

#include "base/setting.h"
#include "ui/engine/lexicon.h"

namespace ladimo::ui {
namespace {

using Kind = Outcome::Kind;

constexpr int refused_status = 2;
constexpr int not_executable_status = 126;  // reported by the shell on another machine
constexpr int not_found_status = 127;
constexpr int first_signal_status = 128;
constexpr int interrupted_status = 130;
constexpr int ssh_failed_status = 255;

QString kept() { return QObject::tr("Finished work is kept. The run can be continued."); }

Outcome not_started(const Ending& ending) {
  return {Kind::missing,
          QObject::tr("The engine could not be started: %1").arg(ending.last_words),
          QObject::tr(
              "The program \"ladimo\" must be in the same folder as this one. Install or build it again."),
          {}};
}

Outcome not_there(const QString& host) {
  return {Kind::missing,
          QObject::tr("The program \"ladimo\" was not found on %1.").arg(host),
          QObject::tr("Install it there, or set its path under File ▸ Settings."),
          {}};
}

Outcome not_reached(const Ending& ending) {
  return {Kind::missing,
          ending.last_words.isEmpty()
              ? QObject::tr("%1 cannot be reached.").arg(ending.host)
              : QObject::tr("%1 cannot be reached: %2").arg(ending.host, ending.last_words),
          QObject::tr("This must work in a terminal without a password: ssh %1 ladimo --version")
              .arg(ending.host),
          {}};
}

Outcome vanished(const QString& host) {
  return {Kind::vanished,
          QObject::tr("The connection to %1 was lost.").arg(host),
          QObject::tr("The engine on that machine stops by itself. %1").arg(kept()),
          {}};
}

Outcome ended_by(int signal) {
  if (signal == SIGKILL)
    return {Kind::killed,
            QObject::tr("The engine was killed by the system, most likely because memory ran out."),
            QObject::tr("Use fewer calibration tokens or a smaller window, or close other programs. %1")
                .arg(kept()),
            {}};
  return {Kind::killed,
          QObject::tr("The engine crashed (signal %1).").arg(signal),
          QObject::tr("%1 The log.txt in the run folder shows how far it got.").arg(kept()),
          {}};
}

/// Whether the connection ended rather than the engine. ssh reports its own errors as 255.
bool connection_lost(const Ending& ending) {
  return ending.unanswered || ending.signal != 0 || ending.status == ssh_failed_status;
}

Outcome of_status(const Ending& ending, const std::vector<ErrorEvent>& errors) {
  const Kind kind = ending.status == refused_status       ? Kind::refused
                    : ending.status == interrupted_status ? Kind::canceled
                                                          : Kind::failed;
  if (!errors.empty()) return complaint(kind, errors);
  if (!ending.last_words.isEmpty()) return {kind, ending.last_words, {}, {}};
  if (kind == Kind::canceled) return {kind, QObject::tr("The engine was stopped."), kept(), {}};
  return {
      kind, QObject::tr("The engine stopped with status %1 and gave no reason.").arg(ending.status), {}, {}};
}

}  // namespace

Outcome complaint(Kind kind, const std::vector<ErrorEvent>& errors) {
  QStringList sentences;
  for (const ErrorEvent& error : errors) sentences << QString::fromStdString(error.message);
  const QString path = QString::fromStdString(errors.front().path);
  QStringList advice{sentences.front().contains(path) ? QString() : path,
                     in_window_words(errors.front().hint)};
  advice.removeAll(QString());
  Outcome outcome{kind, sentences.join('\n'), advice.join('\n'), {}};
  outcome.original_missing = std::ranges::any_of(
      errors, [](const ErrorEvent& error) { return setting_in(error.hint) == Setting::dense; });
  return outcome;
}

Outcome failure_of(const std::vector<Problem>& problems) {
  std::vector<ErrorEvent> errors;
  for (const Problem& problem : problems)
    errors.push_back({problem.message, problem.hint, problem.path.string()});
  return complaint(Kind::failed, errors);
}

Outcome outcome_of(const Ending& ending, const std::vector<ErrorEvent>& errors, const QByteArray& result) {
  const bool remote = !ending.host.isEmpty();
  if (!ending.started) return not_started(ending);
  if (ending.status == 0 && ending.signal == 0) return {Kind::done, {}, {}, result};
  if (remote && ending.unanswered) return vanished(ending.host);
  if (ending.canceled) return {Kind::canceled, QObject::tr("Stopped."), kept(), {}};
  if (remote && connection_lost(ending)) return ending.heard ? vanished(ending.host) : not_reached(ending);
  if (remote && (ending.status == not_found_status || ending.status == not_executable_status))
    return not_there(ending.host);
  if (ending.signal != 0) return ended_by(ending.signal);
  if (ending.status > first_signal_status && ending.status < ssh_failed_status &&
      ending.status != interrupted_status)
    return ended_by(ending.status - first_signal_status);
  Outcome outcome = of_status(ending, errors);
  outcome.output = result;  // inspect and plan also describe what they refuse
  return outcome;
}

}  // namespace ladimo::ui
