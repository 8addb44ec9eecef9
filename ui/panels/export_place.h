// Where an export goes: a name that is free, in the folder that was chosen last, and the dialogs that ask.
#pragma once

#include <QString>

#include "ui/engine/engine.h"
#include "ui/models/export_choice.h"

class QWidget;

namespace ladimo::ui {

class ExportPlace {
 public:
  /// Beside the run's folder until another place is chosen.
  ExportPlace(QString run_folder, Engine engine);

  /// RUN-model, RUN-glm4moe, RUN-glm4moe-bf16.gguf; with -2, -3 and so on where something of that name is
  /// there. On another machine nobody looks.
  QString proposed(const ExportChoice& choice, const QString& precision) const;
  /// Asks for the place. Returns the path to write; empty where none was chosen.
  QString ask(QWidget& parent, const ExportChoice& choice, const QString& precision);
  /// Where the next one is proposed.
  void set_folder(const QString& folder) { folder_ = folder; }

 private:
  QString folder_, name_;
  Engine engine_;
};

}  // namespace ladimo::ui
