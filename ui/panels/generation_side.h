// One of the two models that continue the prompt: its text, its state, its speed.
#pragma once

#include <QElapsedTimer>
#include <QWidget>

#include "base/events.h"
#include "ui/engine/outcome.h"

class QLabel;
class QProgressBar;

namespace ladimo::ui {

class TokenView;

class GenerationSide : public QWidget {
  Q_OBJECT
 public:
  enum class Model { dense, converted };
  explicit GenerationSide(Model model, QWidget* parent = nullptr);

  TokenView& view() { return *view_; }

  void hold(const QString& why);  // waits until the engine is free
  void wait();                    // waits until the other side is done
  void begin(const QString& prompt);
  void append(const TokenEvent& token);
  /// Ends with the speed over all tokens that were written.
  void finish(int tokens, double tokens_per_s);
  /// Ends without a result because it was stopped or failed. The text stays.
  void end(const Outcome& outcome);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void say(const QString& text, bool failed = false);
  void say_speed(int tokens, double tokens_per_s);
  void recolour();

  Model model_;
  QLabel* title_;
  TokenView* view_;
  QProgressBar* busy_;
  QLabel* state_;
  QElapsedTimer since_first_;
  bool begun_ = false;
  bool failed_ = false;
};

}  // namespace ladimo::ui
