// The engine on another machine, with a script in place of ssh.
#include <doctest/doctest.h>

#include <QSettings>
#include <QSignalSpy>

#include "stand_in_engine.h"
#include "ui/engine/engine_process.h"
#include "ui/settings/settings.h"

using namespace ladimo::ui;
using ladimo::testing::StandInEngine;
using ladimo::testing::StandInSsh;
using Kind = Outcome::Kind;

namespace {

constexpr int patience_ms = 20000;

Outcome wait_for(QSignalSpy& spy) {
  REQUIRE((spy.count() > 0 || spy.wait(patience_ms)));
  return spy.at(0).at(0).value<Outcome>();
}

Outcome run(const Engine& engine, const QStringList& arguments = {}) {
  EngineProcess process(engine);
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start(arguments);
  return wait_for(spy);
}

constexpr const char* says_step = R"(echo '{"event":"step","name":"layers","index":0,"count":2}')";

}  // namespace

TEST_CASE("the settings choose the machine") {
  QSettings().clear();
  CHECK_FALSE(Engine::chosen().remote());
  CHECK(Engine::chosen().program == Engine::beside_studio().program);
  remember(keys::engine_host, QStringLiteral("far"));
  CHECK(Engine::chosen().host == "far");
  CHECK(Engine::chosen().program == "ladimo");
  QSettings().clear();
}

TEST_CASE("ssh never asks and never takes a host for an option") {
  const auto command = Engine{"ladimo", "-oProxyCommand=harm"}.command({"show"});
  CHECK(command.program == "ssh");
  CHECK(command.arguments.contains("BatchMode=yes"));
  CHECK(command.arguments.indexOf("--") == command.arguments.indexOf("-oProxyCommand=harm") - 1);
}

TEST_CASE("arguments reach the other machine unchanged") {
  const StandInEngine engine(R"sh(printf '{"event":"result","asked":"'; printf '%s|' "$@"; echo '"}')sh");
  const StandInSsh ssh;
  const Outcome outcome = run(ssh.engine(engine.program()), {"show", "it's a $HOME; `x` *"});
  CHECK(outcome.kind == Kind::done);
  CHECK(outcome.output == R"({"asked":"show|it's a $HOME; `x` *|--events|"})");
}

TEST_CASE("every way in which a connection can end has a message") {
  const StandInEngine engine("exit 0");
  const struct {
    std::string script;
    Kind kind;
    const char* sentence;
    const char* hint;
  } rows[] = {
      {std::string(says_step) + "; exit 255", Kind::vanished, "connection to far was lost",
       "can be continued"},
      {std::string(says_step) + "; kill -KILL $$", Kind::vanished, "was lost", "can be continued"},
      {"echo 'Permission denied (publickey).' >&2; exit 255", Kind::missing, "Permission denied",
       "ssh far ladimo --version"},
      {"exit 127", Kind::missing, "The program \"ladimo\" was not found on far", "Settings"},
      {"exit 137", Kind::killed, "memory", "fewer calibration tokens"},
      {StandInEngine::complaining("There is no run.", "Make one.", 2), Kind::refused, "no run", "Make one"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    const StandInSsh ssh(row.script);
    const Outcome outcome = run(ssh.engine(engine.program()));
    CHECK(outcome.kind == row.kind);
    CHECK_MESSAGE(outcome.sentence.contains(row.sentence), outcome.sentence.toStdString());
    CHECK_MESSAGE(outcome.hint.contains(row.hint), outcome.hint.toStdString());
  }
}

TEST_CASE("a killed remote engine is distinguished from a lost connection") {
  const StandInEngine engine("kill -KILL $$");
  const StandInSsh ssh;
  CHECK(run(ssh.engine(engine.program())).kind == Kind::killed);
}

TEST_CASE("cancel closes the stdin of the remote engine and gives a slow connection enough time") {
  for (const char* stops : {"", "sleep 4; "}) {
    const StandInEngine engine(std::string(says_step) + "; cat >/dev/null; " + stops + "exit 130");
    const StandInSsh ssh;
    EngineProcess process(ssh.engine(engine.program()));
    QSignalSpy spy(&process, &EngineProcess::finished);
    QObject::connect(&process, &EngineProcess::step, &process, &EngineProcess::cancel);
    process.start({});
    CHECK(wait_for(spy).kind == Kind::canceled);
  }
}

TEST_CASE("a connection that hangs counts as lost after a time, or if it does not react to cancel") {
  const StandInEngine engine("exit 0");
  const StandInSsh ssh("trap '' TERM; " + std::string(says_step) + "; exec sleep 60");
  EngineProcess process(ssh.engine(engine.program()));
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.set_patience(300);
  SUBCASE("silence") { process.start({}); }
  SUBCASE("cancel without an answer") {
    QObject::connect(&process, &EngineProcess::step, &process, &EngineProcess::cancel);
    process.start({});
  }
  const Outcome outcome = wait_for(spy);
  CHECK(outcome.kind == Kind::vanished);
  CHECK(outcome.hint.contains("can be continued"));
}
