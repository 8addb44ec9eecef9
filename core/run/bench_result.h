// The result of `ladimo bench`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// The speed of one kind of work. The dense and the converted side are timed in turns; a side that the model
/// lacks is absent.
struct Speed {
  std::optional<double> dense_tokens_per_s, converted_tokens_per_s;
  std::int64_t tokens = 0;  // tokens that were timed
  double noise = 0;         // share of the median time (Timing); the larger one of both sides

  /// The speed of the converted side divided by that of the dense side; absent when either is.
  std::optional<double> speedup() const;
  /// Milliseconds per token of the converted side, the unit of PolicyNumbers.
  std::optional<double> converted_ms() const;
};

/// What it costs to hold weights otherwise than the checkpoint has them.
struct HoldingLoss {
  double kl = 0;  // mean KL(weights as stored || weights as held) in nats per token, the same policy
  std::int64_t tokens = 0;  // over this many tokens of a text that the model writes itself
};

/// The speeds of decoding and of reading a prompt at batch 1, and what limits them.
struct BenchResult {
  Speed decode, prefill;
  /// What the run's latency table says of decoding with as many experts as ran on this text; absent for a
  /// model without such a table.
  std::optional<double> predicted_decode_ms;
  double bytes_per_token = 0;       // weights read to decode one token, on the converted side if there is one
  double bandwidth_fraction = 0;    // rate of reading weights, as a share of `read_bytes_per_s`
  double read_bytes_per_s = 0;      // plain reads of as much memory, timed in the same rounds
  std::string dtype;                // of the weights in memory: "float32", "bfloat16", "q8_0"
  std::optional<HoldingLoss> hold;  // with --hold
  int threads = 0;
  std::string machine;  // as latency.json names it
  std::string date;     // ISO 8601
};

/// Returns {decode{dense_tokens_per_s, converted_tokens_per_s, speedup, tokens, noise, predicted_ms or
/// null, bytes_per_token, bandwidth_fraction}, prefill{dense_tokens_per_s, converted_tokens_per_s, speedup,
/// tokens, noise}, read_bytes_per_s, dtype, hold{kl, tokens} or null, threads, machine, date}.
nlohmann::json to_json(const BenchResult& result);
/// Reads what to_json() writes. Throws Refusal that names the key.
BenchResult bench_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
