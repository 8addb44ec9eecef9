// Fetches SmolLM2, the second demo, which is too large to come with the program.
#pragma once

#include <QObject>
#include <QProcess>
#include <QTimer>

namespace ladimo::ui {

/// Runs the script that lays the model, in a folder beside the wanted place, and moves the model there when
/// it is whole. So nothing half is ever found there.
class Smollm2Fetch : public QObject {
  Q_OBJECT
 public:
  /// `script FOLDER` lays the file in FOLDER. `file`: where it is wanted.
  Smollm2Fetch(QString script, QString file, QObject* parent = nullptr);
  /// Stops what runs and removes what it left.
  ~Smollm2Fetch() override;

  static constexpr qint64 download_bytes = 92'900'000;

  /// Precondition: not running.
  void start();
  void cancel();
  bool running() const { return process_.state() != QProcess::NotRunning; }

 signals:
  /// How many bytes have arrived.
  void progressed(qint64 bytes);
  /// Emitted once for every start that was not canceled. `failure`: why the model is not there; empty if it
  /// is.
  void finished(const QString& failure);
  void canceled();

 private:
  QString stage() const { return file_ + QStringLiteral(".partial"); }
  qint64 arrived() const;
  void stop(int signal);
  void end();
  QString move_into_place();

  QString script_, file_;
  QProcess process_;
  QTimer look_;
  QTimer grace_;  // the time that the script has to stop
  bool canceled_ = false;
};

}  // namespace ladimo::ui
