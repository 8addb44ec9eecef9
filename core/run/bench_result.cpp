#include "run/bench_result.h"

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const Speed& speed) {
  return {{"dense_tokens_per_s", or_null(speed.dense_tokens_per_s)},
          {"converted_tokens_per_s", or_null(speed.converted_tokens_per_s)},
          {"speedup", or_null(speed.speedup())},
          {"tokens", speed.tokens},
          {"noise", speed.noise}};
}

Speed speed_from_json(const JsonFields& fields) {
  return {fields.optional_number("dense_tokens_per_s"), fields.optional_number("converted_tokens_per_s"),
          fields.integer("tokens"), fields.number("noise")};
}

}  // namespace

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
  auto decode = to_json(result.decode);
  decode["bytes_per_token"] = result.bytes_per_token;
  decode["bandwidth_fraction"] = result.bandwidth_fraction;
  return {{"decode", std::move(decode)},
          {"prefill", to_json(result.prefill)},
          {"read_bytes_per_s", result.read_bytes_per_s},
          {"dtype", result.dtype},
          {"threads", result.threads},
          {"machine", result.machine},
          {"date", result.date}};
}

BenchResult bench_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the timing");
  const JsonFields decode = fields.object("decode");
  return {speed_from_json(decode),
          speed_from_json(fields.object("prefill")),
          decode.number("bytes_per_token"),
          decode.number("bandwidth_fraction"),
          fields.number("read_bytes_per_s"),
          fields.text("dtype"),
          fields.small("threads"),
          fields.text("machine"),
          fields.text("date")};
}

}  // namespace ladimo
