#include "ui/engine/lexicon.h"

#include <iterator>

#include <QCoreApplication>

namespace ladimo::ui {
namespace {

struct Word {
  const char* text;
  bool is_field = true;  // hints put the labels of fields in quotation marks
};

constexpr Word settings[] = {
    {QT_TRANSLATE_NOOP("QObject", "Model")},
    {QT_TRANSLATE_NOOP("QObject", "&Written to")},
    {QT_TRANSLATE_NOOP("QObject", "&Text files of mine")},
    {QT_TRANSLATE_NOOP("QObject", "The &model writes its own text")},
    {QT_TRANSLATE_NOOP("QObject", "&Calibration tokens")},
    {QT_TRANSLATE_NOOP("QObject", "Held-out tokens")},
    {QT_TRANSLATE_NOOP("QObject", "Tokens per window")},
    {QT_TRANSLATE_NOOP("QObject", "&Experts")},
    {QT_TRANSLATE_NOOP("QObject", "&Shared experts")},
    {QT_TRANSLATE_NOOP("QObject", "&Layers")},
    {QT_TRANSLATE_NOOP("QObject", "&Made for")},
    {QT_TRANSLATE_NOOP("QObject", "Sensitivity")},
    {QT_TRANSLATE_NOOP("QObject", "Advanced")},
    {QT_TRANSLATE_NOOP("QObject", "Partition of layer")},
    {QT_TRANSLATE_NOOP("QObject", "Seed")},
    {QT_TRANSLATE_NOOP("QObject", "the number of threads"), false},
    {QT_TRANSLATE_NOOP("QObject", "the device"), false},
    {QT_TRANSLATE_NOOP("QObject", "the memory limit"), false},
    {QT_TRANSLATE_NOOP("QObject", "&Policy")},
    {QT_TRANSLATE_NOOP("QObject", "Dense original")},
    {QT_TRANSLATE_NOOP("QObject", "the command line"), false},
    {QT_TRANSLATE_NOOP("QObject", "Folder for the model")},
    {QT_TRANSLATE_NOOP("QObject", "Trade-off between accuracy and cost")},
    {QT_TRANSLATE_NOOP("QObject", "the activated parameters"), false},
    {QT_TRANSLATE_NOOP("QObject", "the activated parameters of the FFNs"), false},
    {QT_TRANSLATE_NOOP("QObject", "the largest KL"), false},
    {QT_TRANSLATE_NOOP("QObject", "the speedup"), false},
    {QT_TRANSLATE_NOOP("QObject", "Cost")},
    {QT_TRANSLATE_NOOP("QObject", "the layer's pin"), false},
    {QT_TRANSLATE_NOOP("QObject", "the number of sequences"), false},
    {QT_TRANSLATE_NOOP("QObject", "the length of the context"), false},
    {QT_TRANSLATE_NOOP("QObject", "&Prompt")},
    {QT_TRANSLATE_NOOP("QObject", "&Max tokens")},
    {QT_TRANSLATE_NOOP("QObject", "&Temperature")},
    {QT_TRANSLATE_NOOP("QObject", "how weights are held"), false},
    {QT_TRANSLATE_NOOP("QObject", "Format")},
    {QT_TRANSLATE_NOOP("QObject", "Prec&ision")},
    {QT_TRANSLATE_NOOP("QObject", "&Fit the layers to the format")},
    {QT_TRANSLATE_NOOP("QObject", "Then &train them")},
    {QT_TRANSLATE_NOOP("QObject", "all policies"), false},
    {QT_TRANSLATE_NOOP("QObject", "the methods"), false},
    {QT_TRANSLATE_NOOP("QObject", "the seeds"), false},
    {QT_TRANSLATE_NOOP("QObject", "the held-out text"), false},
    {QT_TRANSLATE_NOOP("QObject", "the folder of the runs"), false},
    {QT_TRANSLATE_NOOP("QObject", "the file of the table"), false},
};
static_assert(std::size(settings) == setting_count);

constexpr const char* actions[] = {
    QT_TRANSLATE_NOOP("QObject", "continue the conversion"),
    QT_TRANSLATE_NOOP("QObject", "choose File ▸ New conversion"),
    QT_TRANSLATE_NOOP("QObject", "choose one with the slider"),
    QT_TRANSLATE_NOOP("QObject", "open it with File ▸ Open model"),
    QT_TRANSLATE_NOOP("QObject", "write the model again under Export"),
};
static_assert(std::size(actions) == action_count);

std::string name_of(Setting setting) {
  const QString label = label_of(setting).remove('&');
  const bool is_field = settings[static_cast<std::size_t>(setting)].is_field;
  return (is_field ? QStringLiteral("“%1”").arg(label) : label).toStdString();
}

std::string name_of(Action action) {
  return QObject::tr(actions[static_cast<std::size_t>(action)]).toStdString();
}

}  // namespace

QString label_of(Setting setting) { return QObject::tr(settings[static_cast<std::size_t>(setting)].text); }

QString in_window_words(const std::string& hint) {
  const Lexicon window{[](Setting setting) { return name_of(setting); },
                       [](Action action) { return name_of(action); }};
  return QString::fromStdString(in_words(hint, window));
}

}  // namespace ladimo::ui
