// What the desktop is asked for while the engine works: to stay awake, and to say when it is done. Where
// there is no desktop that listens, nothing happens.
#pragma once

#include <memory>

#include <QString>

class QWidget;

namespace ladimo::ui {

/// The machine does not go to sleep while this lives.
class KeepAwake {
 public:
  /// `why`: as the desktop shows it.
  explicit KeepAwake(const QString& why);
  ~KeepAwake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A notification, unless the window is the active one; the window's task bar entry asks for attention.
void notify(QWidget& window, const QString& title, const QString& sentence);

}  // namespace ladimo::ui
