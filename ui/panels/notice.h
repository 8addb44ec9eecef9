// Says how an action ended, beside its button: where a file was saved, or why not.
#pragma once

#include <QString>
#include <QWidget>

class QToolButton;

namespace ladimo::ui {

class Note;

/// Takes up one line even while it is empty, so that the layout does not jump.
class Notice : public QWidget {
  Q_OBJECT
 public:
  explicit Notice(QWidget* parent = nullptr);

  void clear();
  void say(const QString& text);
  void show_error(const QString& text);
  /// Says `text` and offers to open `path`, or the folder that holds it.
  void show_saved(const QString& text, const QString& path);
  /// Says `text` and offers a button `action`, which emits `acted`.
  void offer(const QString& text, const QString& action);
  /// The same after something went wrong.
  void offer_after_error(const QString& text, const QString& action);

  QString text() const;
  bool failed() const { return failed_; }

 signals:
  void acted();

 private:
  void set(const QString& text, bool failed, const QString& action, const QString& folder);
  void press();

  Note* text_;
  QToolButton* button_;
  QString folder_;  // the button opens it; empty: the button emits `acted`
  bool failed_ = false;
};

}  // namespace ladimo::ui
