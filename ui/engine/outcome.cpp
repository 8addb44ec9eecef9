#include "ui/engine/outcome.h"

#include <csignal>

#include <QObject>
#include <QStringList>

#include <nlohmann/json.hpp>

namespace ladimo::ui {
namespace {

constexpr int refused_status = 2;
constexpr int interrupted_status = 130;

Outcome::Kind kind_of(int status) {
  switch (status) {
    case 0:
      return Outcome::Kind::done;
    case refused_status:
      return Outcome::Kind::refused;
    case interrupted_status:
      return Outcome::Kind::canceled;
    default:
      return Outcome::Kind::failed;
  }
}

QString text_of(const nlohmann::json& problem, const char* key) {
  if (!problem.is_object() || !problem.contains(key) || !problem[key].is_string()) return {};
  return QString::fromStdString(problem[key].get<std::string>());
}

/// With --json the engine lists its complaints on stdout; every sentence is shown, and the first one's
/// advice.
bool read_problems(Outcome& outcome) {
  const auto json = nlohmann::json::parse(outcome.output.begin(), outcome.output.end(), nullptr, false);
  if (!json.is_object() || !json.contains("problems") || json["problems"].empty()) return false;
  QStringList sentences;
  for (const auto& problem : json["problems"]) sentences << text_of(problem, "message");
  outcome.sentence = sentences.join('\n');
  QStringList advice{text_of(json["problems"][0], "path"), text_of(json["problems"][0], "hint")};
  advice.removeAll(QString());
  outcome.hint = advice.join('\n');
  return true;
}

}  // namespace

Outcome outcome_of_status(int status, const QByteArray& output, const QByteArray& error_output) {
  Outcome outcome{kind_of(status), {}, {}, output};
  if (outcome.done() || read_problems(outcome)) return outcome;
  const QString last_words = QString::fromUtf8(error_output).trimmed().section('\n', -1);
  outcome.sentence = !last_words.isEmpty() ? last_words
                     : outcome.kind == Outcome::Kind::canceled
                         ? QObject::tr("The engine was stopped.")
                         : QObject::tr("The engine stopped with status %1 and gave no reason.").arg(status);
  return outcome;
}

Outcome outcome_of_signal(int signal) {
  if (signal == SIGKILL)
    return {Outcome::Kind::killed,
            QObject::tr("The engine was killed by the system, most likely for memory."),
            QObject::tr("Close other programs, or ask for fewer calibration tokens. "
                        "What was finished is kept."),
            {}};
  return {Outcome::Kind::killed,
          QObject::tr("The engine crashed (signal %1).").arg(signal),
          QObject::tr("What was finished is kept. The run's log.txt shows how far it came."),
          {}};
}

}  // namespace ladimo::ui
