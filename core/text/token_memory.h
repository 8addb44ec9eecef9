// Keeps the tokens of short pieces of text, because words repeat.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "text/token_model.h"

namespace ladimo {

/// Bounded in pieces and in their length. Thread-safe.
class TokenMemory {
 public:
  /// Appends the tokens of `piece`, which `encode` appends when they are not known yet.
  template <class Encode>
  void append(std::string_view piece, std::vector<std::int32_t>& ids, Encode encode) {
    if (piece.size() > longest) return encode();
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = known_.find(piece); found != known_.end()) {
        ids.insert(ids.end(), found->second.begin(), found->second.end());
        return;
      }
    }
    const auto first = static_cast<std::ptrdiff_t>(ids.size());
    encode();
    const std::lock_guard lock(mutex_);
    if (known_.size() < most)
      known_.emplace(piece, std::vector<std::int32_t>(ids.begin() + first, ids.end()));
  }

 private:
  static constexpr std::size_t longest = 64;     // bytes of a piece
  static constexpr std::size_t most = 1u << 17;  // pieces

  std::mutex mutex_;
  TextMap<std::vector<std::int32_t>> known_;
};

}  // namespace ladimo
