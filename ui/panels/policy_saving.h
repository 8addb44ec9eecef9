// Saves the policies of an open run, and asks in a message bar what to do when one cannot be saved as it was
// meant.
#pragma once

#include <map>
#include <optional>

#include <QObject>

#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"
#include "ui/models/policies_model.h"

namespace ladimo::ui {

class MessageBar;
class PolicyEditor;
class ServeClient;

/// There is one for each open run. A policy that another program changed since this window knows it is not
/// replaced before the person was asked. Whatever fails, the policy can be saved to a file elsewhere.
class PolicySaving : public QObject {
  Q_OBJECT
 public:
  static constexpr int longest_name = 64;  // of a saved policy

  /// All must outlive it. `bar` shows the questions.
  PolicySaving(PolicyEditor& editor, ServeClient& serve, const Engine& engine, MessageBar& bar,
               QObject* parent = nullptr);

  /// Saves a policy in the run with the numbers that were measured for it; without a name as the run's own.
  /// `saved` or `given_up` tells how it ended: for a local run that needs no question, before this returns.
  void save(const NamedPolicy& wanted);
  /// Saves the chosen policy in the run under a name that is not used yet, without a question. `failed` tells
  /// when that cannot be done.
  void rescue();
  /// Writes a policy to a file of this machine, to hand on: the run keeps it no more than before. Returns
  /// what went wrong, or an empty text.
  QString save_copy(const Policy& policy, const QString& path);
  /// Asks for a file outside the run and saves the policy there: the one that a question is about, or the
  /// chosen one.
  void choose_place();
  /// What choose_place() does once a path has been chosen.
  void save_elsewhere(const QString& path);

  bool local() const { return local_; }
  /// Whether a policy is on its way to a remote run.
  bool busy() const { return !sent_.empty(); }

 signals:
  void saved(const ladimo::ui::NamedPolicy& saved);
  /// A policy was saved to a file outside the run, in place of the run.
  void saved_elsewhere(const QString& path);
  /// The engine saves it when it has done what it was asked before; `why` says what that is.
  void waits(const QString& why);
  /// The person decided not to save.
  void given_up();
  /// A policy that was to be saved without a question was not saved.
  void failed();

 private:
  enum class Over { nothing_unseen, anything };  // what may be written over
  enum class Asks { yes, no };                   // whether the person is there to be asked
  struct Sent {
    NamedPolicy policy;
    Asks asks;
  };

  void write(const NamedPolicy& wanted, Over over, Asks asks);
  void finish(int request, const Outcome& outcome);
  void accept(const NamedPolicy& saved);
  void meet_change(const NamedPolicy& wanted, Asks asks);
  void meet_failure(const NamedPolicy& wanted, Asks asks, const QString& sentence, const QString& hint);
  void give_up();
  QString free_name(const QString& like) const;

  PolicyEditor& editor_;
  ServeClient& serve_;
  MessageBar& bar_;
  bool local_;
  std::map<int, Sent> sent_;          // policies on their way to a remote run, by request
  std::optional<NamedPolicy> asked_;  // the one that a question in the bar is about
  QStringList taken_;                 // names in the run that this window did not know of
};

}  // namespace ladimo::ui
