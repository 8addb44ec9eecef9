#include "ui/mainwindow/termination.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <QSocketNotifier>

namespace ladimo::ui {
namespace {

constexpr int caught[] = {SIGTERM, SIGHUP, SIGINT};
int ends[2] = {-1, -1};  // a pipe: a signal handler may write to it, and little else

void tell(int) {
  const int before = errno;
  const char word = 0;
  static_cast<void>(!::write(ends[1], &word, 1));  // a full pipe tells it already
  errno = before;
}

}  // namespace

Termination::Termination(QObject* parent) : QObject(parent) {
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) qFatal("there is no pipe for signals");
  heard_ = new QSocketNotifier(ends[0], QSocketNotifier::Read, this);
  connect(heard_, &QSocketNotifier::activated, this, [this] {
    char word;
    while (::read(ends[0], &word, 1) == 1) continue;
    emit asked();
  });
  struct sigaction action {};
  action.sa_handler = tell;
  action.sa_flags = SA_RESTART;
  for (const int number : caught) ::sigaction(number, &action, nullptr);
}

Termination::~Termination() {
  for (const int number : caught) std::signal(number, SIG_DFL);
  for (const int end : ends) ::close(end);
}

}  // namespace ladimo::ui
