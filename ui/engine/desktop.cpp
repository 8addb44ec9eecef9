#include "ui/engine/desktop.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusUnixFileDescriptor>
#include <QVariantMap>
#include <QWidget>

namespace ladimo::ui {
namespace {

QDBusMessage screen_saver_call(const QString& method) {
  const QString name = QStringLiteral("org.freedesktop.ScreenSaver");
  return QDBusMessage::createMethodCall(name, QStringLiteral("/org/freedesktop/ScreenSaver"), name, method);
}

}  // namespace

// Two requests: that the session does not go idle (released with a cookie) and that the machine does not
// suspend (released when the file descriptor is closed).
struct KeepAwake::State : QObject {
  explicit State(const QString& why) {
    QDBusMessage idle = screen_saver_call(QStringLiteral("Inhibit"));
    idle << QApplication::applicationDisplayName() << why;
    ask(QDBusConnection::sessionBus(), idle,
        [this](const QDBusMessage& reply) { cookie = reply.arguments().value(0); });
    QDBusMessage sleep = QDBusMessage::createMethodCall(
        QStringLiteral("org.freedesktop.login1"), QStringLiteral("/org/freedesktop/login1"),
        QStringLiteral("org.freedesktop.login1.Manager"), QStringLiteral("Inhibit"));
    sleep << QStringLiteral("sleep:idle") << QApplication::applicationDisplayName() << why
          << QStringLiteral("block");
    ask(QDBusConnection::systemBus(), sleep, [this](const QDBusMessage& reply) {
      lock = reply.arguments().value(0).value<QDBusUnixFileDescriptor>();
    });
  }
  ~State() override {
    if (!cookie.isValid()) return;
    QDBusMessage over = screen_saver_call(QStringLiteral("UnInhibit"));
    over << cookie;
    QDBusConnection::sessionBus().send(over);
  }

  template <class Use>
  void ask(const QDBusConnection& bus, const QDBusMessage& message, Use use) {
    if (!bus.isConnected()) return;
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(message), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [watcher, use] {
      if (!watcher->isError()) use(watcher->reply());
      watcher->deleteLater();
    });
  }

  QVariant cookie;
  QDBusUnixFileDescriptor lock;
};

KeepAwake::KeepAwake(const QString& why) : state_(std::make_unique<State>(why)) {}
KeepAwake::~KeepAwake() = default;

void notify(QWidget& window, const QString& title, const QString& sentence) {
  if (window.isActiveWindow()) return;
  QApplication::alert(&window);
  const QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  const QString name = QStringLiteral("org.freedesktop.Notifications");
  QDBusMessage message = QDBusMessage::createMethodCall(
      name, QStringLiteral("/org/freedesktop/Notifications"), name, QStringLiteral("Notify"));
  constexpr unsigned replaces_none = 0;
  constexpr int shown_as_usual = -1;
  message << QApplication::applicationDisplayName() << replaces_none << QGuiApplication::desktopFileName()
          << title << sentence << QStringList() << QVariantMap() << shown_as_usual;
  bus.send(message);
}

}  // namespace ladimo::ui
