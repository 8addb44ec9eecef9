// Times the dense and the converted model in turns: how fast each decodes and reads a prompt, and how far the
// times spread.
#pragma once

#include <optional>

#include <QWidget>

#include "base/events.h"
#include "policy/policy_file.h"
#include "ui/engine/outcome.h"

class QProgressBar;
class QPushButton;
class QTableView;

namespace ladimo::ui {

class Note;
class Notice;
class PolicyEditor;
class ServeClient;
class SpeedModel;

class SpeedPanel : public QWidget {
  Q_OBJECT
 public:
  SpeedPanel(PolicyEditor& editor, ServeClient& serve, QWidget* parent = nullptr);

 private:
  void lay_out();
  void measure_or_cancel();
  void show_state();
  void show_progress(int request, const ProgressEvent& event);
  void finish(int request, const Outcome& outcome);
  void show_result(const Outcome& outcome);
  void show_words();

  PolicyEditor& editor_;
  ServeClient& serve_;
  int request_ = 0;              // 0: none
  Policy asked_;                 // by that request
  std::optional<Policy> timed_;  // the one that the table shows
  QString said_;                 // about its times
  QPushButton* button_;
  QProgressBar* progress_;
  Notice* notice_;
  SpeedModel* speeds_;
  QTableView* table_;
  Note* words_;
};

}  // namespace ladimo::ui
