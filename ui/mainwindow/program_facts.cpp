#include "ui/mainwindow/program_facts.h"

#include <QApplication>
#include <QLocale>
#include <QScreen>
#include <QStyle>
#include <QSysInfo>
#include <QThread>

#include <qcustomplot.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/machine.h"
#include "base/version.h"
#include "ui/engine/answer.h"
#include "ui/engine/engine_process.h"
#include "ui/models/numbers.h"
#include "ui/models/theme.h"

namespace ladimo::ui {
namespace {

EngineAnswer answer_of(const Outcome& outcome) {
  if (!outcome.done()) return {{}, outcome.sentence};
  try {
    return {engine_facts_from_json(parse_answer(outcome.output)), {}};
  } catch (const Refusal& refusal) {
    return {{}, QString::fromStdString(refusal.what())};
  }
}

QString screens() {
  QStringList all;
  for (const QScreen* screen : QGuiApplication::screens())
    all << QStringLiteral("%1 × %2 at %3 %")
               .arg(screen->size().width())
               .arg(screen->size().height())
               .arg(qRound(100 * screen->devicePixelRatio()));
  return all.join(QStringLiteral(", "));
}

}  // namespace

Facts versions_of_studio() {
  const QString qt = QString::fromLatin1(qVersion());
  const QString built = QStringLiteral(QT_VERSION_STR);
  return {{QObject::tr("LaDiMo Studio"), QString::fromLatin1(version())},
          {QObject::tr("Qt"), qt == built ? qt : QObject::tr("%1, built with %2").arg(qt, built)},
          {QObject::tr("QCustomPlot"), QStringLiteral(QCUSTOMPLOT_VERSION_STR)},
          {QObject::tr("Compiler"), QString::fromLatin1(compiler())}};
}

Facts versions_of(const EngineFacts& engine) {
  return {{QObject::tr("Engine"), QString::fromStdString(engine.version)},
          {QObject::tr("libtorch"), QString::fromStdString(engine.libtorch)},
          {QObject::tr("Kernels"), QString::fromStdString(engine.kernels)}};
}

Facts machine_of_studio() {
  return {{QObject::tr("System"), QSysInfo::prettyProductName() + QStringLiteral(", ") +
                                      QSysInfo::kernelType() + ' ' + QSysInfo::kernelVersion()},
          {QObject::tr("Processor"), QString::fromStdString(processor_name()) + QStringLiteral(", ") +
                                         QSysInfo::currentCpuArchitecture()},
          {QObject::tr("Cores"), QString::number(QThread::idealThreadCount())},
          {QObject::tr("Memory"), bytes_text(static_cast<double>(memory_bytes()))},
          {QObject::tr("Window system"), QGuiApplication::platformName()},
          {QObject::tr("Screens"), screens()},
          {QObject::tr("Style"), QApplication::style()->name() + (theme_of(QApplication::palette()).dark
                                                                      ? QStringLiteral(", dark")
                                                                      : QStringLiteral(", light"))},
          {QObject::tr("Language"), QLocale().name()}};
}

Facts machine_of(const EngineFacts& engine) {
  return {{QObject::tr("Processor"), QString::fromStdString(engine.processor)},
          {QObject::tr("Threads"), QString::number(engine.threads)},
          {QObject::tr("Memory"), bytes_text(static_cast<double>(engine.memory_bytes))},
          {QObject::tr("GPUs"), QString::number(engine.gpus)}};
}

void ask_engine(const Engine& engine, QObject& owner, std::function<void(const EngineAnswer&)> done) {
  auto* job = new EngineProcess(engine, &owner);
  QObject::connect(job, &EngineProcess::finished, job, [job, done](const Outcome& outcome) {
    job->deleteLater();
    done(answer_of(outcome));
  });
  job->start({QStringLiteral("about")});
}

}  // namespace ladimo::ui
