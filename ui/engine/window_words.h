// The engine speaks of its command line; the window shows the same settings under names.
#pragma once

#include <string>

#include <QString>

namespace ladimo::ui {

/// An engine's advice with the window's names in the place of commands and their options: "Use a smaller
/// --window." becomes "Use a smaller “Tokens per window”."; what stands in brackets only to name an option
/// goes.
QString in_window_words(const std::string& advice);

}  // namespace ladimo::ui
