#include "ui/settings/number_format.h"

#include <QLocale>

namespace ladimo::ui {

void use_number_format() { QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates)); }

}  // namespace ladimo::ui
