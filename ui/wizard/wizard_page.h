// A page of the wizard that tells it only of a change: at every completeChanged a QWizard hides all it shows
// and shows it again.
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
  bool told_ = false;  // as the wizard knows it
};

}  // namespace ladimo::ui
