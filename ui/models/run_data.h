// A run as `ladimo show RUN --json` tells it: values, read once.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include <QByteArray>
#include <QString>
#include <QStringList>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/recipe.h"
#include "run/run_folder.h"

namespace ladimo::ui {

/// The run's own text that was neither calibrated on nor used for the tables.
inline const QString checking_split = QStringLiteral("checking");

/// One line of RUN/measurements.json: what an evaluation found.
struct Measurement {
  QString date;     // ISO 8601
  QString machine;  // as latency.json names it
  QString split;    // checking_split or "text"
  QStringList text;
  qint64 tokens = 0;
  int window = 0;
  Policy policy;
  PolicyNumbers numbers;
  double dense_perplexity = 0;
  double same_top = 0;                   // share of tokens with equal argmax
  double same_top_se = 0;                // its standard error
  std::map<int, double> kl_percentiles;  // percentile -> nats
};

struct RunData {
  QString folder;  // as the engine's machine names it
  Recipe recipe;
  QStringList own_text;              // the first documents that the model wrote itself
  std::vector<LayerRecord> records;  // finished layers, rising
  std::optional<RoutingProfile> profile;
  std::optional<TradeoffTable> tradeoff;
  std::optional<LatencyTable> latency;
  std::optional<Policy> policy;           // RUN/policy.json
  std::map<QString, Policy> policies;     // saved under a name
  std::vector<Measurement> measurements;  // oldest first

  QString name() const;  // of the run's folder
  const LayerProfile* profile_of(int layer) const;
  const LayerRecord* record_of(int layer) const;
  int layer_count() const;  // of the model, where the tables are; else of the recipe
};

/// Reads the output of `show`. Throws Refusal when it is not one.
RunData read_run(const QByteArray& json, const QString& folder);
/// One entry of `measurements`. Throws Refusal.
Measurement measurement_from_json(const nlohmann::json& json);

}  // namespace ladimo::ui
