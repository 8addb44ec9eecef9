// Tells what kind of folder, or GGUF file, a person opens.
#pragma once

#include <QString>

namespace ladimo::ui {

enum class FolderKind {
  run,       // holds a recipe
  model,     // a checkpoint, or a GGUF file
  exported,  // a native model folder, made by `export`
  unknown,   // none of these
  missing
};

/// The absolute path of what a person names: of a folder or file, or of ORG/NAME in the cache of the Hub.
QString place_named(const QString& named);

/// The kind of a local folder or file.
FolderKind kind_of(const QString& folder);

}  // namespace ladimo::ui
