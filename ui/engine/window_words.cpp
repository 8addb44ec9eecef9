#include "ui/engine/window_words.h"

#include <utility>

#include <QCoreApplication>
#include <QRegularExpression>

namespace ladimo::ui {
namespace {

// Longer spellings first.
constexpr std::pair<const char*, const char*> names[] = {
    {"--text self", QT_TRANSLATE_NOOP("QObject", "The model writes its own text")},
    {"--text", QT_TRANSLATE_NOOP("QObject", "Text files of mine")},
    {"--tokens", QT_TRANSLATE_NOOP("QObject", "Calibration tokens")},
    {"--held-out-tokens", QT_TRANSLATE_NOOP("QObject", "Held-out tokens")},
    {"--window", QT_TRANSLATE_NOOP("QObject", "Tokens per window")},
    {"--experts", QT_TRANSLATE_NOOP("QObject", "Experts")},
    {"--shared", QT_TRANSLATE_NOOP("QObject", "Shared experts")},
    {"--layers", QT_TRANSLATE_NOOP("QObject", "Layers")},
    {"--sensitivity", QT_TRANSLATE_NOOP("QObject", "Sensitivity")},
    {"--seed", QT_TRANSLATE_NOOP("QObject", "Seed")}};

}  // namespace

QString in_window_words(const std::string& advice) {
  QString words = QString::fromStdString(advice);
  // Where the window asks for a folder, the field or the dialog is the option.
  words.remove(QRegularExpression(QStringLiteral(" with -o( [A-Z]+)?(?![\\w-])")));
  for (const auto& [option, name] : names) {
    const QString spelt = QRegularExpression::escape(QLatin1String(option));
    words.remove(QRegularExpression(QStringLiteral(" \\(%1\\)").arg(spelt)));
    words.replace(QRegularExpression(QStringLiteral("(?<![\\w-])%1(?![\\w-])").arg(spelt)),
                  QStringLiteral("“%1”").arg(QObject::tr(name)));
  }
  return words;
}

}  // namespace ladimo::ui
