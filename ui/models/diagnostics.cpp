#include "ui/models/diagnostics.h"

#include <algorithm>

#include "ui/models/run_data.h"
#include "ui/settings/settings.h"

namespace ladimo::ui {
namespace {

QString yes_or_no(bool yes) { return yes ? QStringLiteral("yes") : QStringLiteral("no"); }

QString section_text(const ReportSection& section) {
  qsizetype widest = 0;
  for (const Fact& fact : section.facts) widest = std::max(widest, fact.name.size());
  QStringList lines{section.title};
  for (const auto& [name, value] : section.facts)
    lines << QStringLiteral("  ") + name.leftJustified(widest + 2) + value;
  for (const QString& line : section.lines) lines << QStringLiteral("  ") + line;
  if (lines.size() == 1) lines << QStringLiteral("  none");
  return lines.join('\n');
}

}  // namespace

// A report is read by those who make the program, so that it is in English in every language of the window.
Facts anonymous_facts(const RunData& run) {
  const Recipe& recipe = run.recipe;
  Facts facts{
      {QStringLiteral("layers"), QString::number(run.layer_count())},
      {QStringLiteral("converted"),
       QStringLiteral("%1 of %2").arg(run.records().size()).arg(recipe.layers.size())},
      {QStringLiteral("experts, shared"), QStringLiteral("%1, %2").arg(recipe.experts).arg(recipe.shared)},
      {QStringLiteral("made for"),
       recipe.target.empty() ? QStringLiteral("any format") : QString::fromStdString(recipe.target)},
      {QStringLiteral("text"), recipe.self_text() ? QStringLiteral("of the model's own")
                                                  : QStringLiteral("%1 files").arg(recipe.text.size())},
      {QStringLiteral("tokens, held out"),
       QStringLiteral("%1, %2").arg(recipe.tokens).arg(recipe.held_out_tokens)},
      {QStringLiteral("window"), QString::number(recipe.window)},
      {QStringLiteral("seed"), QString::number(recipe.seed)},
      {QStringLiteral("GGUF"), yes_or_no(recipe.model.extension() == ".gguf")},
      {QStringLiteral("profile"), yes_or_no(run.profile.has_value())},
      {QStringLiteral("trade-off table"), yes_or_no(run.tradeoff.has_value())},
      {QStringLiteral("times"), yes_or_no(run.latency.has_value())},
      {QStringLiteral("policies"), QString::number(run.policies.size())},
      {QStringLiteral("measurements"), QString::number(run.measurements.size())}};
  return facts;
}

Facts changed_settings_facts() {
  Facts facts;
  for (const auto& [name, value] : changed_settings()) facts.push_back({name, value});
  return facts;
}

QString report_text(const std::vector<ReportSection>& sections, const Personal& personal) {
  QStringList texts;
  for (const ReportSection& section : sections) texts << section_text(section);
  return without(personal, texts.join(QStringLiteral("\n\n"))) + '\n';
}

}  // namespace ladimo::ui
