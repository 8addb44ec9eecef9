// The window in another language, where there is a translation; English is in the program itself.
#pragma once

class QLocale;

namespace ladimo::ui {

/// Looks for translations/ladimo_LANGUAGE.qm beside the program; everything that is made afterwards speaks
/// the language. False where there is none.
bool install_translation(const QLocale& locale);

}  // namespace ladimo::ui
