// How something ended, where it was asked for: saved there, or not saved and why.
#pragma once

#include <QString>
#include <QWidget>

class QToolButton;

namespace ladimo::ui {

class Note;

/// Keeps the room of one line while it says nothing, so that nothing jumps.
class Notice : public QWidget {
  Q_OBJECT
 public:
  explicit Notice(QWidget* parent = nullptr);

  void clear();
  void say(const QString& text);
  void show_error(const QString& text);
  /// Says `text` and offers to open the folder that holds `path` (or is it).
  void show_saved(const QString& text, const QString& path);
  /// Says `text` and offers `action`, whose press is `acted`.
  void offer(const QString& text, const QString& action);

  QString text() const;
  bool failed() const { return failed_; }

 signals:
  void acted();

 private:
  void set(const QString& text, bool failed, const QString& action, const QString& folder);
  void press();

  Note* text_;
  QToolButton* button_;
  QString folder_;  // that the button opens; empty: `acted`
  bool failed_ = false;
};

}  // namespace ladimo::ui
