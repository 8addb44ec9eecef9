#include "ui/engine/engine_process.h"

#include <doctest/doctest.h>

#include <QSignalSpy>
#include <QTest>

#include "stand_in_engine.h"

using namespace ladimo::ui;
using ladimo::testing::StandInEngine;
using Kind = Outcome::Kind;

namespace {

constexpr int patience_ms = 20000;

Outcome wait_for(QSignalSpy& spy) {
  REQUIRE((spy.count() > 0 || spy.wait(patience_ms)));
  REQUIRE(spy.count() == 1);
  return spy.at(0).at(0).value<Outcome>();
}

Outcome run(const std::string& script, const QStringList& arguments = {}) {
  const StandInEngine engine(script);
  EngineProcess process(engine.engine());
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start(arguments);
  return wait_for(spy);
}

}  // namespace

TEST_CASE("every way in which a job can end has a message") {
  const std::string two = StandInEngine::printing(
      R"({"event":"error","message":"One.","hint":"Do this.","path":"x/y"}
{"event":"error","message":"Two.","hint":"","path":""})");
  const struct {
    std::string script;
    Kind kind;
    const char* sentence;
    const char* hint;
  } rows[] = {
      {StandInEngine::finding("{}"), Kind::done, "", ""},
      {two + "\nexit 2", Kind::refused, "One.\nTwo.", "x/y\nDo this."},
      {StandInEngine::printing(
           R"({"event":"error","message":"x/y is not there.","hint":"Do this.","path":"x/y"})") +
           "\nexit 2",
       Kind::refused, "x/y is not there.", "Do this."},
      {StandInEngine::complaining("The disk is full.", "Make room.", 1), Kind::failed, "disk is full",
       "room"},
      {"echo 'a log line' >&2; echo 'last words' >&2; exit 1", Kind::failed, "last words", ""},
      {"echo 'no event'; exit 1", Kind::failed, "no event", ""},
      {R"(echo '{"event":"nonsense"}'; exit 1)", Kind::failed, "is not an event", "versions"},
      {"exit 7", Kind::failed, "status 7", ""},
      {"exit 130", Kind::canceled, "was stopped", "continued"},
      {"kill -KILL $$", Kind::killed, "memory", "fewer calibration tokens"},
      {"sh -c 'kill -KILL $$'; exit $?", Kind::killed, "memory", "can be continued"},
      {"kill -SEGV $$", Kind::killed, "crashed (signal 11)", "log.txt"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.script);
    const Outcome outcome = run(row.script);
    CHECK(outcome.kind == row.kind);
    CHECK_MESSAGE(outcome.sentence.contains(row.sentence), outcome.sentence.toStdString());
    CHECK_MESSAGE(outcome.hint.contains(row.hint), outcome.hint.toStdString());
    CHECK(outcome.done() == (row.kind == Kind::done));
    CHECK(outcome.sentence.isEmpty() == outcome.done());
  }
}

TEST_CASE("arguments are passed unchanged, and --events is added") {
  const Outcome outcome = run(R"sh(printf '{"event":"result","asked":"'; printf '%s|' "$@"; echo '"}')sh",
                              {"show", "a folder/with spaces"});
  CHECK(outcome.output == R"({"asked":"show|a folder/with spaces|--events|"})");
}

TEST_CASE("events arrive as values, in order, before the job ends") {
  const StandInEngine engine(StandInEngine::printing(
                                 R"({"event":"step","name":"layers","index":2,"count":6}
{"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.5,"what":"refit"}
{"event":"loss","layer":3,"step":7,"value":0.25,"held_out":true}
{"event":"layer","layer":3,"loss_before":0.5,"loss_after":0.125,"seconds":2}
{"event":"warning","message":"Careful.","hint":"Look."})") +
                             "\n" + StandInEngine::finding(R"({"layers": []})"));
  EngineProcess process(engine.engine());
  QStringList heard;
  QObject::connect(&process, &EngineProcess::step, [&](const auto& e) {
    heard << QString("%1 %2/%3").arg(QString::fromStdString(e.name)).arg(e.index).arg(e.count);
  });
  QObject::connect(&process, &EngineProcess::progress, [&](const auto& e) {
    heard << QString("%1 %2/%3").arg(QString::fromStdString(e.what)).arg(e.done).arg(e.total);
  });
  QObject::connect(&process, &EngineProcess::loss, [&](const auto& e) { heard << QString::number(e.value); });
  QObject::connect(&process, &EngineProcess::layer,
                   [&](const auto& e) { heard << QString::number(e.loss_after); });
  QObject::connect(&process, &EngineProcess::warning,
                   [&](const auto& e) { heard << QString::fromStdString(e.message); });
  QObject::connect(&process, &EngineProcess::finished, [&] { heard << "end"; });
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start({});
  CHECK(wait_for(spy).output == R"({"layers": []})");
  CHECK(heard == QStringList{"layers 2/6", "refit 10/96", "0.25", "0.125", "Careful.", "end"});
}

TEST_CASE("a missing engine gives a message that says where it belongs") {
  EngineProcess process(Engine{QStringLiteral("/nonexistent/ladimo"), {}});
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start({});
  const Outcome outcome = wait_for(spy);
  CHECK(outcome.kind == Kind::missing);
  CHECK(outcome.sentence.contains("/nonexistent/ladimo"));
  CHECK(outcome.hint.contains("in the same folder as this one"));
}

TEST_CASE("cancel stops the job and reports that it was canceled") {
  const StandInEngine engine("exec sleep 60");
  EngineProcess process(engine.engine());
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start({});
  process.cancel();
  const Outcome outcome = wait_for(spy);
  CHECK(outcome.kind == Kind::canceled);
  CHECK(outcome.hint.contains("can be continued"));
  CHECK_FALSE(process.running());
}

TEST_CASE("a job that is stopped has its full time to end, whatever was stopped before") {
  const StandInEngine engine(R"sh(
if [ -e "$0.again" ]; then trap 'sleep 1; touch "$0.kept"; exit 130' TERM; fi
touch "$0.again"
echo '{"event":"step","name":"layers","index":0,"count":1}'
while :; do sleep 0.1; done)sh");
  EngineProcess process(engine.engine());
  QSignalSpy steps(&process, &EngineProcess::step), ends(&process, &EngineProcess::finished);
  const auto wait = [](QSignalSpy& spy, int count) {
    while (spy.count() < count) REQUIRE(spy.wait(patience_ms));
  };
  process.start({});
  wait(steps, 1);
  process.cancel();
  wait(ends, 1);
  process.start({});
  wait(steps, 2);
  QTest::qWait(2500);  // by now the first job's time limit would kill the second one
  process.cancel();
  wait(ends, 2);
  CHECK(std::filesystem::exists(engine.folder() / "ladimo.kept"));
}

TEST_CASE("a job that is destroyed reports nothing, even if that happens during one of its signals") {
  const StandInEngine quiet("exec sleep 60");
  int reports = 0;
  {
    EngineProcess process(quiet.engine());
    QObject::connect(&process, &EngineProcess::finished, [&] { ++reports; });
    process.start({});
  }
  CHECK(reports == 0);

  const StandInEngine talkative(StandInEngine::printing(R"({"event":"warning","message":"1","hint":""}
{"event":"warning","message":"2","hint":""})"));
  auto process = std::make_unique<EngineProcess>(talkative.engine());
  QSignalSpy destroyed(process.get(), &QObject::destroyed);
  QObject::connect(process.get(), &EngineProcess::warning, [&] {
    ++reports;
    process.reset();
  });
  process->start({});
  REQUIRE((destroyed.count() > 0 || destroyed.wait(patience_ms)));
  CHECK(reports == 1);
}
