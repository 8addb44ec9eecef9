// How a job of the engine ended, in words.
#pragma once

#include <vector>

#include <QByteArray>
#include <QString>

#include "base/events.h"

namespace ladimo::ui {

struct Outcome {
  enum class Kind {
    done,
    refused,   // bad input; nothing was written
    failed,    // while running; what was finished stays
    canceled,  // asked to stop
    killed,    // ended by a signal that nobody here sent: a crash, out of memory
    vanished,  // the connection to another machine was lost; the run there can be continued
    missing    // the engine could not be started or reached
  };
  Kind kind = Kind::done;
  QString sentence;               // what happened; empty when done
  QString hint;                   // what to do; may be empty
  QByteArray output;              // the result: one JSON object
  QString warning = {};           // what went wrong beside it, and what to do; may be empty
  bool original_missing = false;  // the run's dense original is not where it was: its folder has to be named

  bool done() const { return kind == Kind::done; }
};

/// What is known of a process of the engine when it has ended.
struct Ending {
  QString host;             // empty: it ran on this machine
  bool started = true;      // false: `last_words` says why it could not be
  bool heard = false;       // whether it wrote a line
  int status = 0;           // exit status, or
  int signal = 0;           // what ended it
  bool canceled = false;    // it was asked to stop
  bool unanswered = false;  // it did not answer, and was killed here
  QString last_words;       // what it wrote last that is no event
};

/// `errors`: what the engine complained about, `result`: what it found, as it said them in its events.
Outcome outcome_of(const Ending& ending, const std::vector<ErrorEvent>& errors, const QByteArray& result);

/// The outcome that one or more complaints make: every sentence, and the first one's place and advice.
Outcome complaint(Outcome::Kind kind, const std::vector<ErrorEvent>& errors);

}  // namespace ladimo::ui
