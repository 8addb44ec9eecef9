// What each panel and plot of the window shows, in plain words and with the formula: the one source of the
// help marks, of F1 and of the help dialog. The terms are explained in terms.h.
#pragma once

#include <QString>

namespace ladimo::ui {

/// What help is about: one for every panel and plot.
enum class Help {
  // The run
  model,
  text,
  experts,
  losses,
  // The policy
  layers,
  routing,
  all_layers,
  load,
  load_of_layers,
  together,
  frontier,
  frontiers,
  predicted,
  // Evaluation
  measured,
  kl_of_tokens,
  predictions,
  tasks,
  measurements,
  generation,
  // Export
  formats,
  policies,
  exported,
  // The wizard
  choose_model,
  choose_text,
  choose_experts,
  partition,
  review,
  conversion
};
inline constexpr int help_count = static_cast<int>(Help::conversion) + 1;

QString help_title(Help about);
/// What it shows, the formula, and how to read it, as rich text without the title.
QString help_html(Help about);

}  // namespace ladimo::ui
