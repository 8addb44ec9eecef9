// The formats in which a run can be written under a policy, and what the window says about them.
#pragma once

#include <optional>
#include <vector>

#include <QByteArray>
#include <QString>

#include "policy/policy_file.h"
#include "run/export_report.h"

namespace ladimo::ui {

/// One format, as a folder or as a GGUF file, as `ladimo export --formats` tells it.
struct ExportChoice {
  QString format = QStringLiteral("native");  // as `--format` takes it
  QString title = {};                         // as people know it
  bool gguf = false;
  bool expressible = false;  // the policy as it is
  bool possible = false;     // any policy of this run
  QString reason = {};       // why not as it is; empty where it is
  QString hint = {};         // what to do about that, in the words of the window
  // Of the policy that would be written: the one that is asked about, or the nearest.
  std::optional<int> dense_layers = {}, k = {};
  std::optional<double> kl = {};  // predicted, before a fit
  std::optional<double> activated_fraction = {};
  std::optional<double> bytes = {};  // of the weights, about

  bool native() const { return format == QLatin1String("native"); }
  bool needs_fit() const { return possible && !expressible; }
  bool may_fit() const { return possible && !native(); }
};

/// Reads the answer of `ladimo export --formats --json`. Throws Refusal that names the key.
std::vector<ExportChoice> read_export_choices(const QByteArray& answer);

/// "Mixtral · GGUF".
QString title_in_words(const ExportChoice& choice);
/// What opens it: "llama.cpp".
QString opens_in(const ExportChoice& choice);
/// "as it is", "with a fit" or "not possible".
QString way_in_words(const ExportChoice& choice);
/// What runs in the model that would be written: "k = 12 · 2 dense". `wanted` is the policy that was asked
/// about.
QString written_policy(const ExportChoice& choice, const Policy& wanted);
/// Why the format can or cannot express the policy, and what a fit does. `fit`: it will be fitted.
QString why(const ExportChoice& choice, bool fit);

/// What `ladimo export` wrote in this session.
struct WrittenModel {
  ExportChoice choice;
  QString precision;  // of a GGUF file: "bf16"; else empty
  Policy policy;      // that was asked for
  ExportResult result;

  /// What is opened elsewhere: the folder, or the first part of the GGUF file.
  QString path() const;
};

/// "2 files, 6.00 MiB · verified: largest logit difference 0.00002 · KL against the run 0 nats per
/// token".
QString result_in_words(const WrittenModel& written);
/// A table in rich text: KL and activated parameters of the policy that was asked for, of the nearest one,
/// and of what was written. All of them are measured.
QString fit_in_words(const FitPrice& price);
/// What a person types to load the model elsewhere: Python for transformers, or shell commands for llama.cpp.
QString loading_lines(const WrittenModel& written);

}  // namespace ladimo::ui
