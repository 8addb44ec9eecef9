// An opened run: what `ladimo show` tells of it, where it is, and ways to look things up.
#pragma once

#include <vector>

#include <QByteArray>
#include <QString>

#include "run/run_view.h"

namespace ladimo::ui {

struct RunData : RunView {
  QString folder;  // as the engine's machine names it

  QString name() const;                      // of the run's folder
  std::vector<LayerRecord> records() const;  // of the finished layers, rising
  /// Null for a layer that is not finished.
  const LayerRecord* record_of(int layer) const;
  /// Null for a layer without a router.
  const LayerProfile* profile_of(int layer) const;
  int layer_count() const;  // of the model where the tables are there, else of the recipe
};

/// Reads the result of `show`. Throws Refusal when it is not one, or when its tables and policies do not
/// belong together.
RunData read_run(const QByteArray& json, const QString& folder);

}  // namespace ladimo::ui
