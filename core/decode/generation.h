// Text from a model, token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/context.h"
#include "decode/decoder.h"

namespace ladimo {

struct Sampling {
  std::int64_t max_tokens = 128;
  double temperature = 0;  // 0 means greedy decoding
  std::uint64_t seed = 0;
};

struct GeneratedToken {
  std::int32_t id = 0;
  std::vector<int> experts;  // per layer: routed experts that ran in its computation; -1 for a dense layer
};

/// Continues `prompt` (ids, BOS included) until EOS, `max_tokens` or the model's last position. Where all
/// positions of a text turn with other frequencies once it is longer (longrope), the text is computed again
/// from there. `on_token` sees each token as soon as it is known. EOS is not part of the result. Of equal
/// logits the lower id is taken. Throws Refusal when the prompt is empty, holds ids that the model does not
/// know, or leaves no position free.
std::vector<GeneratedToken> generate(const Decoder& decoder, std::span<const std::int32_t> prompt,
                                     const Sampling& sampling, const Context& context,
                                     const std::function<void(const GeneratedToken&)>& on_token = {});

/// Samples `count` sequences from the token `bos` in batches, each until EOS or `length` tokens (with BOS,
/// without EOS). Each sequence draws from its own random stream, so the same seed gives the same sequences.
/// `progress` advances by `count * (length - 1)` in total. Throws Refusal when `bos` is negative or there are
/// fewer than `length` positions.
std::vector<std::vector<std::int32_t>> sample_sequences(const Decoder& decoder, std::int32_t bos,
                                                        std::int64_t count, std::int64_t length,
                                                        double temperature, std::uint64_t seed,
                                                        Progress& progress);

}  // namespace ladimo
