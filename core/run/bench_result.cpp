#include "run/bench_result.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<Speed> {
  static constexpr std::tuple all{Member{"dense_tokens_per_s", &Speed::dense_tokens_per_s},
                                  Member{"converted_tokens_per_s", &Speed::converted_tokens_per_s},
                                  Member{"tokens", &Speed::tokens}, Member{"noise", &Speed::noise}};
};

template <>
struct Members<HoldingLoss> {
  static constexpr std::tuple all{Member{"kl", &HoldingLoss::kl}, Member{"tokens", &HoldingLoss::tokens}};
};

template <>
struct Members<BenchResult> {
  static constexpr std::tuple all{Member{"decode", &BenchResult::decode},
                                  Member{"prefill", &BenchResult::prefill},
                                  Member{"read_bytes_per_s", &BenchResult::read_bytes_per_s},
                                  Member{"dtype", &BenchResult::dtype},
                                  Member{"hold", &BenchResult::hold},
                                  Member{"threads", &BenchResult::threads},
                                  Member{"machine", &BenchResult::machine},
                                  Member{"date", &BenchResult::date}};
};

std::optional<double> Speed::speedup() const {
  if (!dense_tokens_per_s || !converted_tokens_per_s) return {};
  return *converted_tokens_per_s / *dense_tokens_per_s;
}

std::optional<double> Speed::converted_ms() const {
  constexpr double ms_per_s = 1000;
  if (!converted_tokens_per_s) return {};
  return ms_per_s / *converted_tokens_per_s;
}

nlohmann::json to_json(const BenchResult& result) {
  auto json = members_to_json(result);
  json["decode"]["speedup"] = json_of(result.decode.speedup());
  json["prefill"]["speedup"] = json_of(result.prefill.speedup());
  json["decode"]["predicted_ms"] = json_of(result.predicted_decode_ms);
  json["decode"]["bytes_per_token"] = result.bytes_per_token;
  json["decode"]["bandwidth_fraction"] = result.bandwidth_fraction;
  return json;
}

BenchResult bench_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the timing");
  auto result = members_from_json<BenchResult>(fields);
  result.predicted_decode_ms = fields.object("decode").optional_number("predicted_ms");
  result.bytes_per_token = fields.object("decode").number("bytes_per_token");
  result.bandwidth_fraction = fields.object("decode").number("bandwidth_fraction");
  return result;
}

}  // namespace ladimo
