// What `ladimo bench` found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// One kind of work, timed in turns on both sides. A side that the model does not have is absent.
struct Speed {
  std::optional<double> dense_tokens_per_s, converted_tokens_per_s;
  std::int64_t tokens = 0;  // length that was timed
  double noise = 0;         // share of the median; the larger one of both sides

  /// How many times as fast the converted side is; absent where a side is.
  std::optional<double> speedup() const;
  /// Milliseconds per token of the converted side, as a policy's numbers have them.
  std::optional<double> converted_ms() const;
};

/// Batch 1.
struct BenchResult {
  Speed decode, prefill;
  double bytes_per_token = 0;     // of weights that a decoded token reads, on the converted side where it is
  double bandwidth_fraction = 0;  // their rate as a share of `read_bytes_per_s`
  double read_bytes_per_s = 0;    // reading as many bytes of memory, timed in the same rounds
  std::string dtype;              // that the weights are held in: "float32", "bfloat16"
  int threads = 0;
  std::string machine;  // as latency.json names it
  std::string date;     // ISO 8601
};

/// {decode{dense_tokens_per_s, converted_tokens_per_s, speedup, tokens, noise, bytes_per_token,
/// bandwidth_fraction}, prefill{dense_tokens_per_s, converted_tokens_per_s, speedup, tokens, noise},
/// read_bytes_per_s, dtype, threads, machine, date}.
nlohmann::json to_json(const BenchResult& result);
/// Throws Refusal with the key.
BenchResult bench_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
