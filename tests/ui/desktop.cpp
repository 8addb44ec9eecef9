// What the desktop is asked for, heard by a desktop of our own on a bus of our own.
#include "ui/engine/desktop.h"

#include <doctest/doctest.h>

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusVirtualObject>
#include <QProcess>
#include <QStandardPaths>
#include <QTest>
#include <QWidget>

using namespace ladimo::ui;

namespace {

constexpr int patience_ms = 20000;
constexpr unsigned cookie = 42;

/// Answers everything with the cookie and remembers what it was asked.
class Desktop : public QDBusVirtualObject {
 public:
  QString introspect(const QString&) const override { return {}; }
  bool handleMessage(const QDBusMessage& message, const QDBusConnection& bus) override {
    asked << message.member();
    last = message.arguments();
    bus.send(message.createReply(QVariant(cookie)));
    return true;
  }
  bool wait_for(const QString& call) const {
    return QTest::qWaitFor([&] { return asked.contains(call); }, patience_ms);
  }

  QStringList asked;
  QVariantList last;
};

}  // namespace

TEST_CASE("the desktop is asked to stay awake as long as it is needed, and to say when it is done") {
  const QString program = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
  if (program.isEmpty()) {
    MESSAGE("skipped: there is no dbus-daemon");
    return;
  }
  QProcess daemon;
  daemon.start(program, {"--session", "--nofork", "--print-address"});
  REQUIRE(daemon.waitForReadyRead(patience_ms));
  const QByteArray address = daemon.readLine().trimmed();
  QDBusConnection::disconnectFromBus(QStringLiteral("qt_default_session_bus"));
  qputenv("DBUS_SESSION_BUS_ADDRESS", address);
  Desktop desktop;
  QDBusConnection bus = QDBusConnection::connectToBus(QString::fromUtf8(address), "desktop");
  REQUIRE(bus.registerVirtualObject("/", &desktop, QDBusConnection::SubPath));
  for (const char* service : {"org.freedesktop.ScreenSaver", "org.freedesktop.Notifications"})
    REQUIRE(bus.registerService(QLatin1String(service)));

  {
    const KeepAwake awake(QStringLiteral("Converting"));
    REQUIRE(desktop.wait_for("Inhibit"));
    CHECK(desktop.last.value(1) == "Converting");
    QTest::qWait(100);  // the answer is on its way
  }
  REQUIRE(desktop.wait_for("UnInhibit"));
  CHECK(desktop.last.value(0).toUInt() == cookie);

  QWidget window;
  notify(window, QStringLiteral("The model is converted"), QStringLiteral("Open it."));
  REQUIRE(desktop.wait_for("Notify"));
  CHECK(desktop.last.value(3) == "The model is converted");
  CHECK(desktop.last.value(4) == "Open it.");

  QDBusConnection::disconnectFromBus(QStringLiteral("desktop"));
  QDBusConnection::disconnectFromBus(QStringLiteral("qt_default_session_bus"));
  daemon.kill();
  daemon.waitForFinished();
}

TEST_CASE("without a desktop nothing happens") {
  QDBusConnection::disconnectFromBus(QStringLiteral("qt_default_session_bus"));
  qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
  const KeepAwake awake(QStringLiteral("Converting"));
  QWidget window;
  notify(window, QStringLiteral("Done"), {});
  CHECK_FALSE(QDBusConnection::sessionBus().isConnected());
}
