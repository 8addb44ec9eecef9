// What the program is, its versions and its licence.
#pragma once

#include <QDialog>

#include "ui/engine/engine.h"

class QFormLayout;

namespace ladimo::ui {

struct EngineAnswer;

class AboutDialog : public QDialog {
  Q_OBJECT
 public:
  /// Asks `engine` for its versions. Deletes itself when it is closed.
  explicit AboutDialog(const Engine& engine, QWidget* parent = nullptr);

 private:
  void show_engine(const EngineAnswer& answer);
  void copy() const;

  QFormLayout* list_;
};

}  // namespace ladimo::ui
