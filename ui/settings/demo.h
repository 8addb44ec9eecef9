// The demo that comes with the program: a small model, and a finished run of it.
#pragma once

#include <QString>

namespace ladimo::ui {

/// Paths of the folders beside the program; empty where there are none.
QString demo_model();
QString demo_run();

}  // namespace ladimo::ui
