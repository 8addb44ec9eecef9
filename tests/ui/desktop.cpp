// Requests to the desktop, received by a stand-in for the desktop on a private bus.
#include "ui/engine/desktop.h"

#include <doctest/doctest.h>

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusVirtualObject>
#include <QProcess>
#include <QPushButton>
#include <QStandardPaths>
#include <QTest>
#include <QWidget>

#include "stand_in_engine.h"
#include "ui/wizard/conversion_wizard.h"

using namespace ladimo::ui;
using ladimo::testing::StandInEngine;

namespace {

constexpr int patience_ms = 20000;
constexpr unsigned cookie = 42;

const std::string unfinished_run =
    R"({"recipe":{"model":"models/pico","experts":16,"shared":4,"layers":[0,1]},"layers":[],"profile":null,)"
    R"("tradeoff":null,"latency":null,"policy":null,"policies":{},"measurements":[],"timing":{}})";
const std::string plan_of_it =
    R"({"resumes":true,"steps":[{"name":"layers","description":"Layers.","seconds":3,"done":false}],"tokens":1,)"
    R"("windows":1,"ram_bytes":1,"disk_bytes":1,"seconds":3,"partition":null,"problems":[],)"
    R"("recipe":{"experts":16,"shared":4,"layers":[0,1]}})";

/// Answers every call with the cookie and remembers the calls.
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

TEST_CASE("the desktop is asked to stay awake while the engine works, and to notify when it is done") {
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
  notify(window, QStringLiteral("Conversion finished"), QStringLiteral("Open it."));
  REQUIRE(desktop.wait_for("Notify"));
  CHECK(desktop.last.value(3) == "Conversion finished");
  CHECK(desktop.last.value(4) == "Open it.");

  const StandInEngine engine("case \"$1\" in\nshow)\n" + StandInEngine::finding(unfinished_run) +
                             "\n;;\nplan)\n" + StandInEngine::finding(plan_of_it) + "\n;;\nconvert)\n" +
                             StandInEngine::complaining("The disk is full.", "Free some.", 1) + "\n;;\nesac");
  const std::unique_ptr<ConversionWizard> wizard(ConversionWizard::resume(engine.engine(), "runs/a"));
  auto* go_on = wizard->findChild<QPushButton*>("pause");
  REQUIRE(QTest::qWaitFor([&] { return go_on->isEnabled(); }, patience_ms));
  desktop.asked.clear();
  go_on->click();
  REQUIRE(desktop.wait_for("Notify"));  // the person must learn of a failure, too
  CHECK(desktop.last.value(3) == "The conversion failed");
  CHECK(desktop.last.value(4) == "The disk is full.");

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
