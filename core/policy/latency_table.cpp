#include "base/json_fields.h"
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

nlohmann::json to_json(const LatencyTable& table) {
  auto points = nlohmann::json::array();
  for (const auto& point : table.points)
    points.push_back({{"mean_experts", point.mean_experts},
                      {"decode_ms", point.decode_ms},
                      {"prefill_ms", point.prefill_ms}});
  return {{"machine", table.machine},
          {"date", table.date},
          {"threads", table.threads},
          {"prefill_tokens", table.prefill_tokens},
          {"dense_decode_ms", table.dense_decode_ms},
          {"dense_prefill_ms", table.dense_prefill_ms},
          {"other_decode_ms", table.other_decode_ms},
          {"other_prefill_ms", table.other_prefill_ms},
          {"points", std::move(points)}};
}

LatencyTable latency_table_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "latency table");
  LatencyTable table;
  table.machine = fields.text("machine");
  table.date = fields.text("date");
  table.threads = fields.small("threads");
  table.prefill_tokens = fields.small("prefill_tokens");
  table.dense_decode_ms = fields.number("dense_decode_ms");
  table.dense_prefill_ms = fields.number("dense_prefill_ms");
  table.other_decode_ms = fields.number("other_decode_ms");
  table.other_prefill_ms = fields.number("other_prefill_ms");
  for (const JsonFields& item : fields.objects("points")) {
    const LatencyTable::Point point{item.number("mean_experts"), item.number("decode_ms"),
                                    item.number("prefill_ms")};
    if (!table.points.empty() && point.mean_experts <= table.points.back().mean_experts)
      item.refuse("mean_experts", "does not rise from point to point");
    table.points.push_back(point);
  }
  return table;
}

}  // namespace ladimo
