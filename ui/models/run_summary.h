// What a run is, as the window shows it: values read once from `ladimo show RUN --json`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <QByteArray>
#include <QString>

#include "policy/histogram.h"
#include "policy/layer_policy.h"
#include "policy/policy_file.h"

namespace ladimo::ui {

/// One layer. Numbers are absent where the run does not know them (yet).
struct LayerRow {
  int layer = 0;
  bool converted = false;
  std::optional<LayerPolicy> policy;
  std::optional<double> experts_on;   // routed experts that run for one token, on average; absent when dense
  std::optional<double> kl;           // that this layer's policy alone adds, nats per token
  std::optional<double> activated;    // share of the dense FFN's parameters used per token
  std::optional<double> loss_before;  // normalised squared error before refit and distillation
  std::optional<double> loss_after;
  int routed = 0;                   // routed experts; 0 while there is no routing profile
  HistogramCounts routing_weights;  // of all its routed experts; empty while there is no routing profile
};

struct RunSummary {
  QString model;  // name of the checkpoint's folder
  QString text;   // what it was calibrated on, in words
  std::int64_t tokens = 0;
  int experts = 0;  // slices of a layer
  int shared = 0;   // of which always on
  int converted_layers = 0;
  double dense_perplexity = 0;  // on the tables split; 0 while not measured
  std::optional<Policy> policy;
  std::vector<LayerRow> layers;
};

/// Reads the output of `show`. Throws Refusal when it is not one.
RunSummary read_summary(const QByteArray& json);

/// "6 of 6 layers converted · 64 experts (16 shared) · 99,840 calibration tokens from …".
QString description(const RunSummary& run);
/// One sentence about what the policy costs and saves, as rich text: measured numbers bold, predicted normal.
QString consequences(const RunSummary& run);

}  // namespace ladimo::ui
