#include "ui/mainwindow/leaving.h"

#include <utility>

#include "ui/mainwindow/run_pages.h"
#include "ui/widgets/message_bar.h"
#include "ui/wizard/conversion_wizard.h"

namespace ladimo::ui {

struct Leaving::Loss {
  bool conversion = false;  // stops; its finished layers are kept
  bool work = false;        // what the engine measures, generates or writes now
  bool policy = false;      // the chosen policy is kept nowhere
  bool any() const { return conversion || work || policy; }
};

Leaving::Leaving(MessageBar& bar, QObject* parent) : QObject(parent), bar_(bar) {}

void Leaving::set_page(ConversionWizard* wizard, RunPages* run) {
  if (run_) disconnect(run_, nullptr, this, nullptr);
  wizard_ = wizard;
  run_ = run;
  action_ = {};
  saving_ = false;
  if (!run_) return;
  connect(run_, &RunPages::policy_saved, this, &Leaving::go_on_saved);
  connect(run_, &RunPages::policy_not_saved, this, &Leaving::stay);
  connect(run_, &RunPages::policy_waits, this, &Leaving::wait);
}

Leaving::Loss Leaving::loss() const {
  return {wizard_ && wizard_->busy(), run_ && run_->busy(), run_ && run_->unsaved()};
}

bool Leaving::free() const { return agreed_ || !loss().any(); }

void Leaving::leave(Action action) {
  action_ = std::move(action);
  saving_ = false;
  const Loss now = loss();
  now.any() && !agreed_ ? ask(now) : go();
}

bool Leaving::end_session(bool may_ask, Action close) {
  if (may_ask && !free()) {
    leave(std::move(close));
    return false;
  }
  if (may_ask) return true;
  action_ = std::move(close);
  if (!loss().policy) {
    go();
    return true;
  }
  saving_ = true;
  run_->rescue_policy();
  return !loss().policy;
}

void Leaving::ask(const Loss& loss) {
  MessageBar::Message question{
      .tone = MessageBar::Tone::warning, .sentence = {}, .answer = [this](int action) { answer(action); }};
  const QString work = tr("The current measurement or export would be lost. Earlier measurements are kept.");
  if (loss.conversion) {
    question.sentence = tr("A conversion is running. Closing stops it.");
    question.hint = tr("Finished layers are kept. To continue, open the run again (File ▸ Open recent).");
    question.actions = QStringList{tr("Keep it running"), tr("Stop and close")};
  } else if (!loss.policy) {
    question.sentence = tr("The engine is still working on this run.");
    question.hint = work;
    question.actions = QStringList{tr("Keep open"), tr("Stop and close")};
  } else {
    const QString how = run_->gone() ? tr("The run folder is gone. Save the policy elsewhere.")
                                     : tr("Save it as the run's policy, or keep the run open and save it "
                                          "under a name on the Export page.");
    const QString save = run_->gone() ? tr("Save elsewhere…") : tr("Save as the run's policy");
    question.sentence =
        loss.work ? tr("The current policy is not saved, and the engine is still working on this run.")
                  : tr("The current policy is not saved.");
    question.hint = loss.work ? how + '\n' + work : how;
    question.actions = QStringList{
        tr("Keep open"), loss.work ? tr("Stop and close without saving") : tr("Close without saving"), save};
  }
  bar_.show_message(question);
}

void Leaving::answer(int action) {
  if (action == 0) return stay();
  if (action == 1) return go();
  save();
}

void Leaving::save() {
  saving_ = true;
  run_->save_policy();
}

/// The person may have chosen another policy while a remote engine saved this one.
void Leaving::go_on_saved() {
  if (!saving_) return;
  saving_ = false;
  if (loss().policy)
    leave(std::exchange(action_, {}));
  else
    go();
}

void Leaving::wait(const QString& why) {
  if (!saving_) return;
  bar_.show_message({.sentence = tr("Saving the policy. Then the run closes."),
                     .hint = why,
                     .actions = {tr("Keep open"), tr("Close without saving")},
                     .answer = [this](int action) { answer(action); }});
}

void Leaving::stay() {
  saving_ = false;
  action_ = {};
}

void Leaving::go() {
  saving_ = false;
  bar_.clear();
  const Action action = std::exchange(action_, {});
  if (!action) return;
  agreed_ = true;
  action();
  agreed_ = false;
}

}  // namespace ladimo::ui
