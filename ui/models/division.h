// How the policy of a layer divides what is weighed into what runs and what does not. Plots show it.
#pragma once

#include <optional>

#include <QString>

#include "ui/models/policy_editor.h"

namespace ladimo::ui {

struct Division {
  enum class Rule {
    unknown,    // nothing is weighed in this layer
    threshold,  // what is at or above `edge` runs
    strongest,  // each token runs as many; at or above `edge` lie as many on average
    none,       // nothing runs
    all,        // everything runs
    unused      // the layer is dense: its router is not used
  };
  Rule rule = Rule::unknown;
  double edge = 0;     // may be 0 or less; only of threshold and strongest
  double running = 0;  // share of what is weighed that runs, as predicted
  QString words = {};  // what decides, where no threshold does
  bool has_edge() const { return rule == Rule::threshold || rule == Rule::strongest; }
  bool operator==(const Division&) const = default;
};

/// Of the experts, or of the inputs of a product.
Division division_of(const PolicyEditor& editor, int layer, std::optional<Product> product);

/// The histogram of what is weighed; null where the run has none.
const HistogramCounts* weights_of(const RunData& run, int layer, std::optional<Product> product);

}  // namespace ladimo::ui
