// Tells the window when the system asks the program to end: a logout, a shutdown, Ctrl+C in its terminal.
#pragma once

#include <QObject>

class QSocketNotifier;

namespace ladimo::ui {

/// Catches SIGTERM, SIGHUP and SIGINT while it lives. There is at most one.
class Termination : public QObject {
  Q_OBJECT
 public:
  explicit Termination(QObject* parent = nullptr);
  ~Termination() override;

 signals:
  void asked();

 private:
  QSocketNotifier* heard_;
};

}  // namespace ladimo::ui
