#include <doctest/doctest.h>

#include <QProcess>

namespace {

struct Answer {
  int status;
  QString out, error;
};

Answer ask(const QStringList& arguments) {
  QProcess studio;
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) environment.remove(name);
  studio.setProcessEnvironment(environment);
  studio.start(QStringLiteral(LADIMO_STUDIO), arguments);
  REQUIRE(studio.waitForFinished(20000));
  REQUIRE(studio.exitStatus() == QProcess::NormalExit);
  return {studio.exitCode(), QString::fromUtf8(studio.readAllStandardOutput()),
          QString::fromUtf8(studio.readAllStandardError())};
}

}  // namespace

TEST_CASE("help and version need no display") {
  CHECK(ask({"--help"}).status == 0);
  CHECK(ask({"--help"}).out.contains("ladimo-studio [RUN|MODEL]"));
  CHECK(ask({"--version"}).status == 0);
  CHECK(ask({"--version"}).out.startsWith("ladimo-studio "));
}

TEST_CASE("without a display the program says so and names the command line") {
  const Answer answer = ask({"some/run"});
  CHECK(answer.status == 1);
  CHECK(answer.error.contains("no display"));
  CHECK(answer.error.contains("ladimo show"));
}

TEST_CASE("unknown arguments are refused") {
  const Answer answer = ask({"-platform", "offscreen", "--nonsense"});
  CHECK(answer.status == 2);
  CHECK(answer.error.contains("--nonsense"));
}
