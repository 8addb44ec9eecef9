#include "ui/engine/window_words.h"

#include <utility>

#include <QCoreApplication>
#include <QRegularExpression>

#include "base/setting.h"

namespace ladimo::ui {
namespace {

using Words = std::pair<const char*, const char*>;

// Commands as regular expressions, and where the window has what they do.
constexpr Words commands[] = {
    {"Continue it: give the same `ladimo convert` command again",
     QT_TRANSLATE_NOOP("QObject", "Continue the conversion")},
    {"Run `ladimo convert` again", QT_TRANSLATE_NOOP("QObject", "Continue the conversion")},
    {"ladimo convert MODEL[^.]*", QT_TRANSLATE_NOOP("QObject", "File ▸ New conversion")},
    {"`ladimo convert`", QT_TRANSLATE_NOOP("QObject", "a conversion")},
    {"Make one: ladimo policy .*", QT_TRANSLATE_NOOP("QObject", "Choose one with the slider.")},
    {"`ladimo policy`", QT_TRANSLATE_NOOP("QObject", "the slider")},
    {"`ladimo inspect`", QT_TRANSLATE_NOOP("QObject", "File ▸ Open model")}};

// Options that have a field of their own. Longer spellings first.
constexpr Words names[] = {{"--text self", QT_TRANSLATE_NOOP("QObject", "The model writes its own text")},
                           {"--text( FILE)?", QT_TRANSLATE_NOOP("QObject", "Text files of mine")},
                           {"--tokens", QT_TRANSLATE_NOOP("QObject", "Calibration tokens")},
                           {"--held-out-tokens", QT_TRANSLATE_NOOP("QObject", "Held-out tokens")},
                           {"--window", QT_TRANSLATE_NOOP("QObject", "Tokens per window")},
                           {"--experts", QT_TRANSLATE_NOOP("QObject", "Experts")},
                           {"--shared", QT_TRANSLATE_NOOP("QObject", "Shared experts")},
                           {"--layers", QT_TRANSLATE_NOOP("QObject", "Layers")},
                           {"--sample", QT_TRANSLATE_NOOP("QObject", "Partition of layer")},
                           {"--sensitivity", QT_TRANSLATE_NOOP("QObject", "Sensitivity")},
                           {"--seed", QT_TRANSLATE_NOOP("QObject", "Seed")}};

QRegularExpression option(const QString& spelling) {
  return QRegularExpression(QStringLiteral("(?<![\\w-])%1(?![\\w-])").arg(spelling));
}

}  // namespace

QString in_window_words(const std::string& advice) {
  QString words = QString::fromStdString(in_words(advice, command_line()));
  for (const auto& [command, place] : commands)
    words.replace(QRegularExpression(QLatin1String(command)), QObject::tr(place));
  // Where the window asks for a folder, the field or the dialog is the option.
  words.remove(QRegularExpression(QStringLiteral(" with (-o( [A-Z]+)?|--dense( MODEL)?)(?![\\w-])")));
  words.remove(QRegularExpression(QStringLiteral(" \\(--[a-z-]+\\)")));
  for (const auto& [spelling, name] : names)
    words.replace(option(QLatin1String(spelling)), QStringLiteral("“%1”").arg(QObject::tr(name)));
  // What is left has no field: at least it is no command line.
  words.replace(QRegularExpression(QStringLiteral("(?<![\\w-])--([a-z]+)(?:-([a-z]+))?(?:-([a-z]+))?")),
                QStringLiteral("“\\1 \\2 \\3”"));
  return words.replace(QRegularExpression(QStringLiteral(" +”")), QStringLiteral("”"));
}

}  // namespace ladimo::ui
