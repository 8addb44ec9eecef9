// What a folder that someone opens is.
#pragma once

#include <QString>

namespace ladimo::ui {

enum class FolderKind {
  run,       // holds a recipe
  model,     // a checkpoint
  exported,  // a native model folder, made by `export`
  unknown,   // none of these
  missing
};

/// Of a folder of this machine.
FolderKind kind_of(const QString& folder);

}  // namespace ladimo::ui
