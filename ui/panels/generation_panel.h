// Continues a prompt with the dense original and with the converted model, side by side.
#pragma once

#include <memory>

#include <QWidget>

#include "base/events.h"
#include "ui/engine/outcome.h"
#include "ui/models/run_data.h"

class QDoubleSpinBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace ladimo::ui {

class GenerationSide;
class PolicyEditor;
class ServeClient;
class TintLegend;

class GenerationPanel : public QWidget {
  Q_OBJECT
 public:
  GenerationPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                  QWidget* parent = nullptr);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void make_controls();
  void lay_out();
  void start_or_stop();
  void start();
  void show_waiting();
  void show_token(int request, const TokenEvent& event);
  void finish(int request, const Outcome& outcome);
  void show_result(const Outcome& outcome);
  void set_scale();
  void point_at(GenerationSide& side, int token);

  std::shared_ptr<const RunData> run_;
  PolicyEditor& editor_;
  ServeClient& serve_;
  int request_ = 0;  // 0: none
  QString prompt_sent_;
  bool dense_begun_ = false, converted_begun_ = false;
  QPlainTextEdit* prompt_;
  QSpinBox* max_tokens_;
  QDoubleSpinBox* temperature_;
  QSpinBox* seed_;
  QPushButton* button_;
  GenerationSide* dense_;
  GenerationSide* converted_;
  TintLegend* legend_;
  QLabel* pointed_;
};

}  // namespace ladimo::ui
