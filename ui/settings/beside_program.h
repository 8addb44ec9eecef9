// Where files that come with the program are: installed, or in the build tree.
#pragma once

#include <QStringList>

namespace ladimo::ui {

/// Folders to look in, the installed one first. Each ends with a slash.
QStringList places_beside_program();

}  // namespace ladimo::ui
