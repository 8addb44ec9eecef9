#include "ui/engine/engine_process.h"

#include <doctest/doctest.h>

#include <QSignalSpy>

#include "stand_in_engine.h"

using namespace ladimo::ui;
using ladimo::testing::StandInEngine;

Q_DECLARE_METATYPE(ladimo::ui::Outcome)

namespace {

constexpr int patience_ms = 20000;

Outcome wait_for(QSignalSpy& spy) {
  REQUIRE((spy.count() > 0 || spy.wait(patience_ms)));
  REQUIRE(spy.count() == 1);
  return spy.at(0).at(0).value<Outcome>();
}

Outcome run(const std::string& script, const QStringList& arguments = {}) {
  const StandInEngine engine(script);
  EngineProcess process(engine.program());
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start(arguments);
  return wait_for(spy);
}

}  // namespace

TEST_CASE("every way a job can end has words") {
  struct Row {
    const char* script;
    Outcome::Kind kind;
    const char* sentence;
    const char* hint;
  };
  const Row rows[] = {
      {"echo '{}'", Outcome::Kind::done, "", ""},
      {R"(echo '{"problems": [{"message": "There is no run.", "hint": "Make one.", "path": "x/y"}]}'; exit 2)",
       Outcome::Kind::refused, "There is no run.", "x/y\nMake one."},
      {R"(echo '{"problems": [{"message": "One."}, {"message": "Two."}]}'; exit 1)", Outcome::Kind::failed,
       "One.\nTwo.", ""},
      {"echo 'a log line' >&2; echo 'last words' >&2; exit 1", Outcome::Kind::failed, "last words", ""},
      {"exit 7", Outcome::Kind::failed, "status 7", ""},
      {"exit 130", Outcome::Kind::canceled, "was stopped", ""},
      {"kill -KILL $$", Outcome::Kind::killed, "memory", "kept"},
      {"kill -SEGV $$", Outcome::Kind::killed, "crashed (signal 11)", "log.txt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.script);
    const Outcome outcome = run(row.script);
    CHECK(outcome.kind == row.kind);
    CHECK_MESSAGE(outcome.sentence.contains(row.sentence), outcome.sentence.toStdString());
    CHECK_MESSAGE(outcome.hint.contains(row.hint), outcome.hint.toStdString());
    CHECK(outcome.done() == (row.kind == Outcome::Kind::done));
    CHECK(outcome.sentence.isEmpty() == outcome.done());
  }
}

TEST_CASE("the output and the arguments pass unchanged") {
  const Outcome outcome = run("printf '%s|' \"$@\"", {"show", "a folder/with spaces", "--json"});
  CHECK(outcome.output == "show|a folder/with spaces|--json|");
}

TEST_CASE("an engine that is missing says where it belongs") {
  EngineProcess process(QStringLiteral("/nonexistent/ladimo"));
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start({});
  const Outcome outcome = wait_for(spy);
  CHECK(outcome.kind == Outcome::Kind::missing);
  CHECK(outcome.hint.contains("/nonexistent/ladimo"));
}

TEST_CASE("cancel stops the job and says so") {
  const StandInEngine engine("echo started; exec sleep 60");
  EngineProcess process(engine.program());
  QSignalSpy spy(&process, &EngineProcess::finished);
  process.start({});
  process.cancel();
  CHECK(wait_for(spy).kind == Outcome::Kind::canceled);
  CHECK_FALSE(process.running());
}

TEST_CASE("a job that is dropped reports nothing") {
  const StandInEngine engine("exec sleep 60");
  int reports = 0;
  {
    EngineProcess process(engine.program());
    QObject::connect(&process, &EngineProcess::finished, [&] { ++reports; });
    process.start({});
  }
  CHECK(reports == 0);
}
