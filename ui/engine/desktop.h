// Requests to the desktop while the engine works: stay awake, and notify when it is done. Without a desktop
// that supports them they do nothing.
#pragma once

#include <memory>

#include <QString>

class QWidget;

namespace ladimo::ui {

/// Keeps the machine from going to sleep while the object lives.
class KeepAwake {
 public:
  /// `why`: the reason that the desktop shows.
  explicit KeepAwake(const QString& why);
  ~KeepAwake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Shows a notification and marks the window in the task bar, unless the window is active.
void notify(QWidget& window, const QString& title, const QString& sentence);

}  // namespace ladimo::ui
