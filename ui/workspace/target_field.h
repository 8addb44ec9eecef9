// A field for a target such as "80 %", "KL 0.02" or "1.3×". Return moves the slider to it.
#pragma once

#include <QLineEdit>

namespace ladimo::ui {

class PolicyEditor;

class TargetField : public QLineEdit {
  Q_OBJECT
 public:
  explicit TargetField(PolicyEditor& editor, QWidget* parent = nullptr);

 signals:
  /// The target cannot be reached, or the text is none.
  void refused(const QString& why);

 private:
  void aim_at_text();

  PolicyEditor& editor_;
};

}  // namespace ladimo::ui
