#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json_members.h"
#include "policy/tradeoff_table.h"

namespace ladimo {
namespace {

constexpr const char* measure_again =
    "Remove latency.json from the run, then {continue_run}: it is measured again.";

MonotoneCurve curve_of(const std::vector<LatencyTable::Point>& points, double LatencyTable::Point::*time) {
  if (points.empty()) throw Refusal("The latency table has no measured points.", measure_again);
  std::vector<double> experts, times;
  for (const auto& point : points) {
    experts.push_back(point.mean_experts);
    times.push_back(point.*time);
  }
  return {std::move(experts), rising(times)};
}

template <class Points>
void require_rising(const JsonFields& fields, const Points& points) {
  for (std::size_t i = 1; i < points.size(); ++i)
    if (points[i].mean_experts <= points[i - 1].mean_experts)
      fields.objects("points")[i].refuse("mean_experts", "does not rise from point to point");
}

/// `experts`: whether the table has times of experts, which a run without converted layers has not.
void require_valid(const JsonFields& fields, const LatencyTable::Grid& grid, bool experts) {
  if (grid.short_context < 0 || grid.long_context <= grid.short_context)
    fields.refuse("long_context", "is not more than short_context");
  for (std::size_t i = 0; i < grid.batches.size(); ++i) {
    const JsonFields batch = fields.objects("batches")[i];
    if (grid.batches[i].batch < 1 || (i > 0 && grid.batches[i].batch <= grid.batches[i - 1].batch))
      batch.refuse("batch", "does not rise from 1 on");
    if (experts && grid.batches[i].points.empty()) batch.refuse("points", "is empty");
    require_rising(batch, grid.batches[i].points);
  }
}

}  // namespace

MonotoneCurve LatencyTable::decode_curve() const { return curve_of(points, &Point::decode_ms); }
MonotoneCurve LatencyTable::prefill_curve() const { return curve_of(points, &Point::prefill_ms); }

std::optional<Problem> LatencyTable::doubt() const {
  constexpr double noticeable = 0.1;
  if (!other_load || *other_load < noticeable) return {};
  return Problem{fmt::format("Other programs used {:.0f} % of the processors while times were measured, so "
                             "predicted times may be wrong.",
                             100 * *other_load),
                 measure_again,
                 {}};
}

LatencyTable LatencyTable::at(int batch, int context) const {
  if (!grid)
    throw Refusal("The latency table contains only times of one sequence in a short context.", measure_again);
  const auto found = std::ranges::find(grid->batches, batch, &Batch::batch);
  if (found == grid->batches.end()) {
    std::vector<int> known;
    for (const Batch& each : grid->batches) known.push_back(each.batch);
    throw Refusal(fmt::format("Decoding {} sequences at a time was not measured.", batch),
                  fmt::format("Set {{batch}} to one of {}.", fmt::join(known, ", ")));
  }
  LatencyTable table = *this;
  if (batch > 1) table.cuts.reset();  // several sequences read nearly every input
  const double share = static_cast<double>(context - grid->short_context) /
                       static_cast<double>(grid->long_context - grid->short_context);
  table.dense_decode_ms = found->dense_decode_ms;
  table.other_decode_ms =
      found->other_decode_ms + share * (found->other_long_decode_ms - found->other_decode_ms);
  table.points.clear();
  if (points.empty()) return table;  // of a run without experts
  const MonotoneCurve prefill = prefill_curve();
  for (const BatchPoint& point : found->points)
    table.points.push_back({point.mean_experts, point.decode_ms, prefill(point.mean_experts)});
  return table;
}

double LatencyTable::decode_ms(const LayerPolicy& policy) const {
  return policy.kind == LayerPolicy::Kind::dense ? dense_decode_ms : decode_curve()(policy.mean_experts);
}

double LatencyTable::prefill_ms(const LayerPolicy& policy) const {
  return policy.kind == LayerPolicy::Kind::dense ? dense_prefill_ms : prefill_curve()(policy.mean_experts);
}

template <>
struct Members<LatencyTable::Point> {
  static constexpr std::tuple all{Member{"mean_experts", &LatencyTable::Point::mean_experts},
                                  Member{"decode_ms", &LatencyTable::Point::decode_ms},
                                  Member{"prefill_ms", &LatencyTable::Point::prefill_ms}};
};

template <>
struct Members<LatencyTable::BatchPoint> {
  static constexpr std::tuple all{Member{"mean_experts", &LatencyTable::BatchPoint::mean_experts},
                                  Member{"decode_ms", &LatencyTable::BatchPoint::decode_ms}};
};

template <>
struct Members<LatencyTable::Batch> {
  static constexpr std::tuple all{Member{"batch", &LatencyTable::Batch::batch},
                                  Member{"dense_decode_ms", &LatencyTable::Batch::dense_decode_ms},
                                  Member{"other_decode_ms", &LatencyTable::Batch::other_decode_ms},
                                  Member{"other_long_decode_ms", &LatencyTable::Batch::other_long_decode_ms},
                                  Member{"points", &LatencyTable::Batch::points}};
};

template <>
struct Members<LatencyTable::Grid> {
  static constexpr std::tuple all{Member{"short_context", &LatencyTable::Grid::short_context},
                                  Member{"long_context", &LatencyTable::Grid::long_context},
                                  Member{"batches", &LatencyTable::Grid::batches}};
};

template <>
struct Members<LatencyTable::Cuts> {
  static constexpr std::tuple all{Member{"layer_ms", &LatencyTable::Cuts::layer_ms},
                                  Member{"ms_per_parameter", &LatencyTable::Cuts::ms_per_parameter}};
};

template <>
struct Members<LatencyTable> {
  static constexpr std::tuple all{Member{"machine", &LatencyTable::machine},
                                  Member{"date", &LatencyTable::date},
                                  Member{"threads", &LatencyTable::threads},
                                  Member{"prefill_tokens", &LatencyTable::prefill_tokens},
                                  Member{"dense_decode_ms", &LatencyTable::dense_decode_ms},
                                  Member{"dense_prefill_ms", &LatencyTable::dense_prefill_ms},
                                  Member{"other_decode_ms", &LatencyTable::other_decode_ms},
                                  Member{"other_prefill_ms", &LatencyTable::other_prefill_ms},
                                  Member{"points", &LatencyTable::points},
                                  Member{"other_load", &LatencyTable::other_load},
                                  Member{"cuts", &LatencyTable::cuts},
                                  Member{"grid", &LatencyTable::grid}};
};

nlohmann::json to_json(const LatencyTable& table) { return members_to_json(table); }

LatencyTable latency_table_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "latency table");
  auto table = members_from_json<LatencyTable>(fields);
  require_rising(fields, table.points);
  if (table.grid) require_valid(fields.object("grid"), *table.grid, !table.points.empty());
  return table;
}

}  // namespace ladimo
