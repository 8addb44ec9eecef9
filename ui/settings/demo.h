// The demo that comes with the program: a small model, and a finished run of it.
#pragma once

#include <QString>

namespace ladimo::ui {

/// The folders of the demo beside the program; empty if they are not there.
QString demo_model();
QString demo_run();

}  // namespace ladimo::ui
