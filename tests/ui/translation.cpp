#include "ui/settings/translation.h"

#include <doctest/doctest.h>

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QLocale>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTranslator>

#include "example_run.h"
#include "support/temporary_folder.h"
#include "ui/models/layer_model.h"
#include "ui/models/policy_editor.h"

using namespace ladimo::ui;

namespace {

QString tool(const QString& name) {
  const QString path = QStandardPaths::findExecutable(name, {QStringLiteral("/usr/lib/qt6/bin")});
  return path.isEmpty() ? QStandardPaths::findExecutable(name) : path;
}

/// The whole output of a program.
QString run(const QString& program, const QStringList& arguments) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  REQUIRE(process.waitForFinished(60000));
  const QString said = QString::fromUtf8(process.readAll());
  REQUIRE_MESSAGE(process.exitCode() == 0, said.toStdString());
  return said;
}

QString read(const QString& path) {
  QFile file(path);
  REQUIRE(file.open(QIODevice::ReadOnly));
  return QString::fromUtf8(file.readAll());
}

void write(const QString& path, const QString& text) {
  QFile file(path);
  REQUIRE(file.open(QIODevice::WriteOnly));
  file.write(text.toUtf8());
}

/// A translation in which every sentence is "ŋ" and the original.
QString translated(QString ts) {
  static const QRegularExpression message(
      QStringLiteral("<source>([^<]*)</source>\\s*<translation type=\"unfinished\"></translation>"));
  ts.replace(message, QStringLiteral("<source>\\1</source><translation>ŋ \\1</translation>"));
  return ts;
}

}  // namespace

TEST_CASE("every sentence is found in its context and shown in another language") {
  const QString lupdate = tool(QStringLiteral("lupdate")), lrelease = tool(QStringLiteral("lrelease"));
  if (lupdate.isEmpty() || lrelease.isEmpty() ||
      QProcess::execute(lupdate, {QStringLiteral("-version")}) != 0) {
    MESSAGE("skipped: there are no translation tools");
    return;
  }
  const ladimo::testing::TemporaryFolder folder;
  const QString ts = QString::fromStdString((folder / "ladimo_eo.ts").string());
  const QString source = QStringLiteral(LADIMO_SOURCE);
  const QString said = run(lupdate, {"-I", source, source + "/ui", "-ts", ts});
  CHECK_MESSAGE(!said.contains("context"),
                said.toStdString());  // lupdate would warn of "tr() without context"
  CHECK_MESSAGE(!said.contains("Qualifying"), said.toStdString());
  write(ts, translated(read(ts)));

  CHECK_FALSE(install_translation(QLocale(QLocale::Esperanto)));
  QDir beside(QCoreApplication::applicationDirPath() + "/../translations");
  REQUIRE(beside.mkpath(QStringLiteral(".")));
  const QString qm = beside.filePath(QStringLiteral("ladimo_eo.qm"));
  run(lrelease, {ts, "-qm", qm});
  const bool installed = install_translation(QLocale(QLocale::Esperanto));
  QFile::remove(qm);
  REQUIRE(installed);
  PolicyEditor editor(ladimo::testing::example_run());
  const LayerModel layers(editor);
  CHECK(layers.headerData(0, Qt::Horizontal, Qt::DisplayRole).toString() == QString::fromUtf8("ŋ Layer"));
  CHECK(QObject::tr("dense") == QString::fromUtf8("ŋ dense"));
  for (auto* translator : QCoreApplication::instance()->findChildren<QTranslator*>())
    QCoreApplication::removeTranslator(translator);
}
