// What is installed with the program, or lies beside it where it was built.
#pragma once

#include <QStringList>

namespace ladimo::ui {

/// Folders that may hold it, the installed one first; each ends with a slash.
QStringList places_beside_program();

}  // namespace ladimo::ui
