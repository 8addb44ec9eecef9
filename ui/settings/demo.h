// The demo that comes with the program: a small model, and a finished run of it.
#pragma once

#include <QString>

namespace ladimo::ui {

/// Folders beside the program, where it is installed or built; empty where there is none.
QString demo_model();
QString demo_run();

}  // namespace ladimo::ui
