#include "ui/settings/beside_program.h"

#include <QCoreApplication>

namespace ladimo::ui {

QStringList places_beside_program() {
  QStringList places;
  for (const char* place : {"/../share/ladimo-studio/", "/../", "/../../"})
    places << QCoreApplication::applicationDirPath() + QLatin1String(place);
  return places;
}

}  // namespace ladimo::ui
