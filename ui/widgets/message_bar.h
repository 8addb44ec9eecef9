// A message in the page it concerns, in place of a dialog: what happened, what to do, and a few buttons. It
// is hidden while there is nothing to say.
#pragma once

#include <functional>

#include <QFrame>
#include <QStringList>

class QHBoxLayout;
class QPushButton;

namespace ladimo::ui {

class Note;
struct Outcome;

class MessageBar : public QFrame {
  Q_OBJECT
 public:
  enum class Tone { info, warning, error };
  struct Message {
    Tone tone = Tone::info;
    QString sentence;
    QString hint = {};
    QStringList actions = {};              // the first is the safe one, which Escape chooses
    std::function<void(int)> answer = {};  // called with the index of the action that was chosen
  };

  explicit MessageBar(QWidget* parent = nullptr);
  /// Takes the place of the message before it. A question that was not answered is dropped.
  void show_message(const Message& message);
  /// Shows why a job failed. Hides the bar when the job succeeded or was asked to stop.
  void show_outcome(const Outcome& outcome);
  void clear();
  /// Whether a question is waiting for an answer.
  bool asks() const { return answer_ != nullptr; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void set_actions(const QStringList& actions);
  void choose(int action);
  QColor tone_colour() const;

  Tone tone_ = Tone::info;
  Note* sentence_;
  Note* hint_;
  QHBoxLayout* buttons_;
  std::function<void(int)> answer_;
  QPushButton* close_;
};

}  // namespace ladimo::ui
