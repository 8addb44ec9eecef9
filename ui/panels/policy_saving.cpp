#include "ui/panels/policy_saving.h"

#include <utility>

#include <QDateTime>
#include <QDir>
#include <QFileDialog>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/saved_policy.h"
#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"
#include "ui/settings/settings.h"
#include "ui/widgets/message_bar.h"

namespace ladimo::ui {
namespace {

QString in_words(const QString& name) {
  return name.isEmpty() ? PolicySaving::tr("the run's policy")
                        : PolicySaving::tr("the saved policy “%1”").arg(name);
}

}  // namespace

PolicySaving::PolicySaving(PolicyEditor& editor, ServeClient& serve, const Engine& engine, MessageBar& bar,
                           QObject* parent)
    : QObject(parent), editor_(editor), serve_(serve), bar_(bar), local_(!engine.remote()) {
  connect(&serve_, &ServeClient::finished, this, &PolicySaving::finish);
}

void PolicySaving::save(const NamedPolicy& wanted) {
  write({wanted.name, RunHistory::of(editor_).with_measured(wanted.policy)}, Over::nothing_unseen, Asks::yes);
}

void PolicySaving::rescue() {
  const QString now = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH.mm.ss"));
  write({free_name(tr("unsaved %1").arg(now)), RunHistory::of(editor_).with_measured(editor_.policy())},
        Over::nothing_unseen, Asks::no);
}

/// The window writes into a local run itself, because the engine would load the whole model first.
void PolicySaving::write(const NamedPolicy& wanted, Over over, Asks asks) {
  std::optional<Expected> expected;
  if (over == Over::nothing_unseen) expected = RunHistory::of(editor_).expected(wanted.name);
  if (!local_) {
    const int request = serve_.save_policy(wanted.policy, wanted.name, expected);
    sent_[request] = {wanted, asks};
    emit waits(serve_.waits_for(request));
    return;
  }
  try {
    const auto name = wanted.name.isEmpty() ? std::nullopt : std::optional(wanted.name.toStdString());
    const RunFolder run(editor_.run().folder.toStdString());
    if (save_policy(run, wanted.policy, name, expected).changed) return meet_change(wanted, asks);
  } catch (const std::exception& failure) {
    const Problem problem = problem_of(failure);
    return meet_failure(wanted, asks, QString::fromStdString(problem.message), in_window_words(problem.hint));
  }
  accept(wanted);
}

void PolicySaving::finish(int request, const Outcome& outcome) {
  const auto at = sent_.find(request);
  if (at == sent_.end()) return;
  const auto [wanted, asks] = sent_.extract(at).mapped();
  if (!outcome.done()) return meet_failure(wanted, asks, outcome.sentence, outcome.hint);
  try {
    if (saved_policy_from_json(parse_answer(outcome.output)).changed) return meet_change(wanted, asks);
  } catch (const Refusal& refusal) {
    return meet_failure(wanted, asks, QString::fromUtf8(refusal.what()), in_window_words(refusal.hint()));
  }
  accept(wanted);
}

void PolicySaving::accept(const NamedPolicy& saved) {
  asked_.reset();
  RunHistory& history = RunHistory::of(editor_);
  if (saved.name.isEmpty())
    history.set_run_policy(saved.policy);
  else
    history.set_policy(saved.name, saved.policy);
  emit this->saved(saved);
}

void PolicySaving::meet_change(const NamedPolicy& wanted, Asks asks) {
  if (!wanted.name.isEmpty()) taken_ << wanted.name;
  const NamedPolicy both{free_name(wanted.name.isEmpty() ? tr("mine") : wanted.name), wanted.policy};
  if (asks == Asks::no) return write(both, Over::nothing_unseen, asks);
  asked_ = wanted;
  bar_.show_message(
      {.tone = MessageBar::Tone::warning,
       .sentence = tr("Another program changed %1.").arg(in_words(wanted.name)),
       .hint = tr("Replace discards what that program saved. Keep both saves yours as “%1”.").arg(both.name),
       .actions = {tr("Cancel"), tr("Keep both"), tr("Replace")},
       .answer = [this, wanted, both](int action) {
         if (action == 0) return give_up();
         if (action == 1) return write(both, Over::nothing_unseen, Asks::yes);
         write(wanted, Over::anything, Asks::yes);
       }});
}

void PolicySaving::meet_failure(const NamedPolicy& wanted, Asks asks, const QString& sentence,
                                const QString& hint) {
  asked_ = wanted;
  bar_.show_message({.tone = MessageBar::Tone::error,
                     .sentence = tr("The policy was not saved. %1").arg(sentence),
                     .hint = hint,
                     .actions = {tr("Cancel"), tr("Try again"), tr("Save elsewhere…")},
                     .answer = [this, wanted](int action) {
                       if (action == 0) return give_up();
                       if (action == 1) return write(wanted, Over::nothing_unseen, Asks::yes);
                       choose_place();
                     }});
  if (asks == Asks::no) emit failed();
}

void PolicySaving::give_up() {
  asked_.reset();
  emit given_up();
}

void PolicySaving::choose_place() {
  const QString proposal = editor_.run().name() + QStringLiteral("-policy.json");
  const QString path = QFileDialog::getSaveFileName(nullptr, tr("Save policy"),
                                                    QDir(remembered(keys::last_folder)).filePath(proposal),
                                                    tr("Policy (*.json)"));
  if (path.isEmpty()) return give_up();
  save_elsewhere(path);
}

void PolicySaving::save_elsewhere(const QString& path) {
  const NamedPolicy wanted = asked_.value_or(NamedPolicy{{}, editor_.policy()});
  const QString failure = save_copy(wanted.policy, path);
  if (!failure.isEmpty()) return meet_failure(wanted, Asks::yes, failure, {});
  asked_.reset();
  RunHistory::of(editor_).add_copy(wanted.policy);
  bar_.show_message({.sentence = tr("The policy was saved as %1.").arg(QDir::toNativeSeparators(path)),
                     .hint = tr("On the command line, use it with --policy.")});
  emit saved_elsewhere(path);
}

QString PolicySaving::save_copy(const Policy& policy, const QString& path) {
  const Policy complete = RunHistory::of(editor_).with_measured(policy);
  return save_file(path, QByteArray::fromStdString(to_json(complete).dump(2) + '\n'));
}

/// `like`, or with the first number that makes it a new name.
QString PolicySaving::free_name(const QString& like) const {
  const auto& known = RunHistory::of(editor_).policies();
  const auto used = [&](const QString& name) { return known.contains(name) || taken_.contains(name); };
  constexpr int room_for_number = 4;
  QString name = like;
  for (int number = 2; used(name); ++number)
    name = QStringLiteral("%1 %2").arg(like.left(longest_name - room_for_number)).arg(number);
  return name;
}

}  // namespace ladimo::ui
