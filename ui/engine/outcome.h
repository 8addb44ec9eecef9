// How an engine job ended, in words.
#pragma once

#include <optional>
#include <vector>

#include <QByteArray>
#include <QString>

#include "base/error.h"
#include "base/events.h"
#include "run/measurement.h"

namespace ladimo::ui {

struct Outcome {
  enum class Kind {
    done,
    refused,   // bad input; nothing was written
    failed,    // an error while running; what was finished is kept
    canceled,  // it was asked to stop
    killed,    // ended by a signal the window did not send: a crash, out of memory
    vanished,  // the connection to another machine was lost; the run there can be continued
    missing    // the engine could not be started or reached
  };
  Kind kind = Kind::done;
  QString sentence;                             // what happened; empty when done
  QString hint;                                 // what to do; may be empty
  QByteArray output;                            // the result: one JSON object
  QString warning = {};                         // the engine's warnings, and what to do; may be empty
  bool original_missing = false;                // the run's dense original was moved: ask for its folder
  std::optional<Measurement> measurement = {};  // what an evaluation by `serve` found

  bool done() const { return kind == Kind::done; }
};

/// What is known about an engine process after it has ended.
struct Ending {
  QString host;             // empty: it ran on this machine
  bool started = true;      // false: it could not be started; `last_words` says why
  bool heard = false;       // whether it wrote a line
  int status = 0;           // exit status, 0 where a signal ended it
  int signal = 0;           // the signal that ended it, 0 for none
  bool canceled = false;    // it was asked to stop
  bool unanswered = false;  // it did not answer, so the window killed it
  QString last_words;       // the last output that is not an event
};

/// The outcome of a process that has ended. `errors` and `result` are the error events and the result event
/// that it sent.
Outcome outcome_of(const Ending& ending, const std::vector<ErrorEvent>& errors, const QByteArray& result);

/// The outcome for one or more errors: all their messages, and the path and advice of the first.
Outcome complaint(Outcome::Kind kind, const std::vector<ErrorEvent>& errors);
/// The outcome of what failed in this process.
Outcome failure_of(const std::vector<Problem>& problems);

}  // namespace ladimo::ui
