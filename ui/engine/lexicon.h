// The window's words for the settings and actions that the core names by their ids.
#pragma once

#include <string>

#include <QString>

#include "base/setting.h"

namespace ladimo::ui {

/// The label of the setting's field, with its accelerator. A setting without a field has a name.
QString label_of(Setting setting);

/// A hint in the window's words: "Use a smaller {window}." becomes "Use a smaller “Tokens per window”.".
QString in_window_words(const std::string& hint);

}  // namespace ladimo::ui
