#include "base/json_members.h"
#include "policy/tradeoff_table.h"

namespace ladimo {
namespace {

MonotoneCurve curve_of(const std::vector<LatencyTable::Point>& points, double LatencyTable::Point::*time) {
  if (points.empty())
    throw Refusal("The latency table has no measured points.",
                  "Remove latency.json from the run, then {continue_run}: it is measured again.");
  std::vector<double> experts, times;
  for (const auto& point : points) {
    experts.push_back(point.mean_experts);
    times.push_back(point.*time);
  }
  return {std::move(experts), rising(times)};
}

}  // namespace

MonotoneCurve LatencyTable::decode_curve() const { return curve_of(points, &Point::decode_ms); }
MonotoneCurve LatencyTable::prefill_curve() const { return curve_of(points, &Point::prefill_ms); }

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
struct Members<LatencyTable> {
  static constexpr std::tuple all{Member{"machine", &LatencyTable::machine},
                                  Member{"date", &LatencyTable::date},
                                  Member{"threads", &LatencyTable::threads},
                                  Member{"prefill_tokens", &LatencyTable::prefill_tokens},
                                  Member{"dense_decode_ms", &LatencyTable::dense_decode_ms},
                                  Member{"dense_prefill_ms", &LatencyTable::dense_prefill_ms},
                                  Member{"other_decode_ms", &LatencyTable::other_decode_ms},
                                  Member{"other_prefill_ms", &LatencyTable::other_prefill_ms},
                                  Member{"points", &LatencyTable::points}};
};

nlohmann::json to_json(const LatencyTable& table) { return members_to_json(table); }

LatencyTable latency_table_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "latency table");
  auto table = members_from_json<LatencyTable>(fields);
  const auto& points = table.points;
  for (std::size_t i = 1; i < points.size(); ++i)
    if (points[i].mean_experts <= points[i - 1].mean_experts)
      fields.objects("points")[i].refuse("mean_experts", "does not rise from point to point");
  return table;
}

}  // namespace ladimo
