// Translations of the window. English is built in.
#pragma once

class QLocale;

namespace ladimo::ui {

/// Installs translations/ladimo_LANGUAGE.qm from beside the program. Widgets made afterwards use it. Returns
/// false if there is none.
bool install_translation(const QLocale& locale);

}  // namespace ladimo::ui
