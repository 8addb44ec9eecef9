// How often the experts of a layer run under the chosen policy.
#pragma once

#include <vector>

#include <QString>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

struct LayerLoad {
  std::vector<double> experts;               // [E] share of tokens; empty where nothing is known
  std::vector<std::vector<double>> by_file;  // [files, E]; empty where the text was one file
  bool of_policy = true;  // else with half of the experts on: an earlier version counted nothing else
  QString why_none;       // why no expert runs, or why nothing is known
};

LayerLoad load_of(const PolicyEditor& editor, int layer);

}  // namespace ladimo::ui
