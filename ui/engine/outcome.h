// How a job of the engine ended, in words.
#pragma once

#include <QByteArray>
#include <QString>

namespace ladimo::ui {

struct Outcome {
  enum class Kind {
    done,
    refused,   // bad input; nothing was written
    failed,    // while running; what was finished stays
    canceled,  // asked to stop
    killed,    // ended by a signal that nobody here sent: a crash, out of memory
    missing    // the engine could not be started
  };
  Kind kind = Kind::done;
  QString sentence;   // what happened; empty when done
  QString hint;       // what to do; may be empty
  QByteArray output;  // what the engine wrote to stdout

  bool done() const { return kind == Kind::done; }
};

/// How a job that exited by itself ended: the engine's exit statuses and its complaints, in words.
Outcome outcome_of_status(int status, const QByteArray& output, const QByteArray& error_output);
/// How a job that a signal ended did.
Outcome outcome_of_signal(int signal);

}  // namespace ladimo::ui
