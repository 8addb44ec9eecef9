// A page that emits completeChanged only when isComplete has changed, because a QWizard hides and shows the
// whole page each time.
#pragma once

#include <utility>

#include <QWizardPage>

namespace ladimo::ui {

class WizardPage : public QWizardPage {
 public:
  using QWizardPage::QWizardPage;

 protected:
  void tell_complete() {
    const bool complete = isComplete();
    if (std::exchange(told_, complete) != complete) emit completeChanged();
  }

 private:
  bool told_ = false;  // the state that the wizard knows
};

}  // namespace ladimo::ui
