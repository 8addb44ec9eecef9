// Asks the engine which formats can express the chosen policy.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <QObject>
#include <QTemporaryDir>
#include <QTimer>

#include "ui/engine/engine_process.h"
#include "ui/models/export_choice.h"

namespace ladimo::ui {

class PolicyEditor;
class ServeClient;

/// Asks in the background, a moment after the last change. A newer question drops the one before it.
class FormatQuery : public QObject {
  Q_OBJECT
 public:
  /// All must outlive it.
  FormatQuery(PolicyEditor& editor, ServeClient& serve, Engine engine, QObject* parent = nullptr);
  ~FormatQuery() override;

  /// Asks about the chosen policy, with the sizes of GGUF files in this precision ("bf16"). Does nothing when
  /// that is what was asked last and `again` is false.
  void ask(const QString& precision, bool again = false);
  /// A remote engine reads policies of its own machine alone: saves the chosen one in the run, and asks then.
  void save_and_ask();
  /// The file of the chosen policy on the engine's machine, if save_and_ask() made one; else empty.
  QString saved_there() const;
  /// Whether an answer is on its way.
  bool asking() const;

 signals:
  void asked();
  /// `policy` is the one that the question was about.
  void answered(const std::vector<ladimo::ui::ExportChoice>& choices, const ladimo::Policy& policy);
  void failed(const ladimo::ui::Outcome& outcome);
  /// The engine is on another machine, where the chosen policy is not saved.
  void unknown_there();

 private:
  void start();
  void accept_place(int request, const Outcome& outcome);
  void finish(const Outcome& outcome);
  void fail(const Problem& problem);
  /// The policy in a file that the engine can read. Throws Refusal when it cannot be written; empty when a
  /// remote engine has none.
  QString file_of(const Policy& policy);

  PolicyEditor& editor_;
  ServeClient& serve_;
  Engine engine_;
  QTemporaryDir files_;  // holds policies while a local engine reads them
  int written_ = 0;      // how many there are
  QTimer still_;
  std::unique_ptr<EngineProcess> job_;
  Policy policy_;  // the question is about it
  Policy sent_;    // that the engine is asked to save
  QString precision_;
  bool known_ = false;                               // whether anything was asked
  QString name_;                                     // under which it is saved there
  int saving_ = 0;                                   // request that saves the policy there; 0: none
  std::optional<std::pair<Policy, QString>> there_;  // the policy that was saved there last, and its file
};

}  // namespace ladimo::ui
