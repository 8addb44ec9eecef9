// An opened run: what `ladimo show` reports about it, where it is, and ways to look things up.
#pragma once

#include <vector>

#include <QByteArray>
#include <QString>

#include "run/run_view.h"

namespace ladimo::ui {

struct RunData : RunView {
  QString folder;  // as the engine's machine names it

  QString name() const;                      // the name of the run's folder
  std::vector<LayerRecord> records() const;  // the finished layers in ascending order
  /// The record of a layer; null if it is not finished.
  const LayerRecord* record_of(int layer) const;
  /// The routing profile of a layer; null if it has no router.
  const LayerProfile* profile_of(int layer) const;
  /// How large the inputs of a layer's products are; null in a run of an earlier version.
  const InputProfile* inputs_of(int layer) const;
  int layer_count() const;  // the model's layers if there are tables, else the recipe's
};

/// Reads the result of `show`. Throws Refusal when it is not one, or when its tables and policies do not
/// belong together.
RunData read_run(const QByteArray& json, const QString& folder);

}  // namespace ladimo::ui
