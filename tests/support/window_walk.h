// Uses the window as a person does: finds named widgets, clicks, types and waits.
#pragma once

#include <stdexcept>

#include <QAbstractButton>
#include <QLineEdit>
#include <QSpinBox>
#include <QTest>
#include <QWizard>

namespace ladimo::testing {

/// Finds a visible widget by name. Throws when none appears within `patience_ms`.
template <class T>
T& seen(QWidget& window, const char* name, int patience_ms = 60000) {
  T* found = nullptr;
  const auto look = [&] {
    for (T* candidate : window.findChildren<T*>(QLatin1String(name)))
      if (candidate->isVisible()) found = candidate;
    return found != nullptr;
  };
  if (!QTest::qWaitFor(look, patience_ms)) throw std::runtime_error(std::string("cannot be seen: ") + name);
  return *found;
}

inline void click(QAbstractButton& button, int patience_ms = 60000) {
  if (!QTest::qWaitFor([&] { return button.isEnabled(); }, patience_ms))
    throw std::runtime_error("cannot be clicked: " + button.text().toStdString());
  button.click();
}

inline QLineEdit& type(QWidget& window, const char* name, const QString& text) {
  auto& field = seen<QLineEdit>(window, name);
  field.setFocus();
  field.selectAll();
  QTest::keyClicks(&field, text);
  return field;
}

inline void enter(QWidget& window, const char* name, const QString& text) {
  QTest::keyClick(&type(window, name, text), Qt::Key_Return);
}

inline void choose(QWidget& window, const char* name, int value) {
  seen<QSpinBox>(window, name).setValue(value);
}

/// Clicks the wizard's Next or Finish when the page allows it.
inline void go_on(QWizard& wizard, QWizard::WizardButton button = QWizard::NextButton,
                  int patience_ms = 60000) {
  click(*wizard.button(button), patience_ms);
}

}  // namespace ladimo::testing
