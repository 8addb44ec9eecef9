// What the workspace says in words: policies, what they cost, and where every number comes from.
#pragma once

#include <QString>

#include "base/error.h"
#include "ui/engine/outcome.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

/// "23 November 2026" for an ISO 8601 date. Any other text is returned unchanged.
QString date_text(const std::string& iso);

/// "dense", "top 4", "shared experts only", "threshold 0.031".
QString in_words(const LayerPolicy& policy);
/// What a layer of a run does with its experts; without any it is "not converted".
QString layer_in_words(const RunData& run, int layer, const LayerPolicy& policy);
/// The mean share of the inputs of q, k and v, of o, and of gate and up that run.
double inputs_used(const LayerPolicy& policy);
/// Such as "inputs of gate and up"; of `down`, "neurons".
QString product_in_words(Product product);
/// What leaving out single inputs of one product of a layer means, as predicted.
QString cut_consequence(const PolicyEditor& editor, int layer, Product product);
/// "6 of 6 layers converted · 64 experts a layer, 16 of them shared · calibrated on 99,840 tokens from …".
QString description(const RunData& run);
/// "Layer 12 · threshold 0.031 · pinned · 64 experts (16 shared)".
QString layer_title(const PolicyEditor& editor, int layer);
/// What the layer's policy does: "At τ = 0.031: 22.7 of 48 routed experts on · 61.0 % of the neurons are in
/// them or shared · KL +0.0004 · 0.41 of 0.93 ms". All of it is predicted.
QString layer_consequence(const PolicyEditor& editor, int layer);
/// What is wrong with the layer's router and what to change; empty when nothing is.
QString router_warning(const RunData& run, int layer);

/// How similar the experts' load is on the files of the text; empty if there was only one file.
QString stability_sentence(const LayerProfile& layer);

/// The predicted consequences of the chosen policy in one sentence, not bold.
QString predicted_sentence(const PolicyEditor& editor);
/// Where and when the times behind the predictions were measured. Plain text.
QString times_source(const LatencyTable& latency);
/// What a ratio of perplexities changes: "+3.62 %".
QString change_text(double ratio);
/// "21.1 → 21.6 (+2.37 %)": of the dense and the converted model on the same text.
QString perplexity_in_words(const Measurement& measurement);
/// What was measured (in bold), where and when, and how far it is from `predicted_kl`.
QString measured_sentence(const Measurement& measurement, double predicted_kl);
/// What went wrong and what to do, in one paragraph.
QString complaint(const Outcome& outcome);
QString complaint(const Problem& problem);
/// Why milliseconds cannot be chosen as the cost; empty where they can.
QString why_no_milliseconds(const PolicyEditor& editor);

}  // namespace ladimo::ui
