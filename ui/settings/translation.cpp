#include "ui/settings/translation.h"

#include <memory>

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>

#include "ui/settings/beside_program.h"

namespace ladimo::ui {
namespace {

bool install(const QLocale& locale, const QString& name, const QStringList& folders) {
  auto translator = std::make_unique<QTranslator>(QCoreApplication::instance());
  for (const QString& folder : folders)
    if (translator->load(locale, name, QStringLiteral("_"), folder))
      return QCoreApplication::installTranslator(translator.release());
  return false;
}

}  // namespace

bool install_translation(const QLocale& locale) {
  QStringList folders;
  for (const QString& place : places_beside_program()) folders << place + QStringLiteral("translations");
  if (!install(locale, QStringLiteral("ladimo"), folders)) return false;
  // Translates Qt's own buttons and dialogs, but only together with ours: the window must not mix languages.
  install(locale, QStringLiteral("qtbase"), {QLibraryInfo::path(QLibraryInfo::TranslationsPath)});
  return true;
}

}  // namespace ladimo::ui
