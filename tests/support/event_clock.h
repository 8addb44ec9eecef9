// An application that measures the processor time of its thread for every event it hands out, so that a busy
// machine does not fail the test.
#pragma once

#include <ctime>

#include <QApplication>
#include <QEvent>
#include <QMetaEnum>
#include <QString>

namespace ladimo::testing {

class EventClock : public QApplication {
 public:
  using QApplication::QApplication;

  struct Longest {
    double ms = 0;
    QString what;  // the kind of event and who received it
  };

  static EventClock& of_this_program() { return *static_cast<EventClock*>(instance()); }
  /// Forgets what was measured.
  void restart() { longest_ = {}; }
  const Longest& longest() const { return longest_; }

  bool notify(QObject* receiver, QEvent* event) override {
    if (inside_)
      return QApplication::notify(receiver, event);    // this event is part of one that is being measured
    const QString what = describe(*receiver, *event);  // both may be gone after the call
    inside_ = true;
    const double start = thread_ms();
    const bool used = QApplication::notify(receiver, event);
    const double spent = thread_ms() - start;
    inside_ = false;
    if (spent > longest_.ms) longest_ = {spent, what};
    return used;
  }

 private:
  static double thread_ms() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
  }
  static QString describe(const QObject& receiver, const QEvent& event) {
    const char* kind = QMetaEnum::fromType<QEvent::Type>().valueToKey(event.type());
    return QStringLiteral("%1 to %2")
        .arg(QLatin1String(kind), QLatin1String(receiver.metaObject()->className()));
  }

  Longest longest_;
  bool inside_ = false;
};

}  // namespace ladimo::testing
