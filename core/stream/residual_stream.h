// The residual stream: the hidden states between the layers of a decoder, for all windows of a text.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include "base/chunking.h"
#include "base/context.h"
#include "stream/row_store.h"
#include "text/corpus.h"

namespace ladimo {

class WeightSource;

/// Hidden states of every window before some layer: windows x positions x d. They are in memory on the
/// source's device, or in a scratch file when the context's memory budget has no room. Windows are
/// independent of each other, so they are read and written a few at a time. Copies share their contents.
class ResidualStream {
 public:
  ResidualStream() = default;
  /// A stream without contents, kept in the source's stream_dtype(), fp32 or bf16.
  ResidualStream(const WeightSource& source, std::int64_t windows, std::int64_t positions,
                 const Context& context);
  /// A stream without contents, kept in `dtype`.
  ResidualStream(const WeightSource& source, std::int64_t windows, std::int64_t positions,
                 const Context& context, at::ScalarType dtype);
  /// The token embeddings of `windows`, kept in the source's stream_dtype().
  static ResidualStream embedded(const WeightSource& source, const Windows& windows, const Context& context);
  /// The token embeddings of `windows`, kept in `dtype`.
  static ResidualStream embedded(const WeightSource& source, const Windows& windows, const Context& context,
                                 at::ScalarType dtype);

  std::int64_t windows() const { return rows_.count(); }
  std::int64_t positions() const { return rows_.row_shape()[0]; }
  bool defined() const { return rows_.count() > 0; }
  bool spilled() const { return rows_.spilled(); }

  /// Windows begin ... end - 1, or those that `index` [n] int64 names: [n, positions, d] in the dtype of the
  /// computation.
  at::Tensor read(std::int64_t begin, std::int64_t end) const { return rows_.read(begin, end); }
  at::Tensor read(const at::Tensor& index) const { return rows_.gather(index); }
  void write(std::int64_t begin, const at::Tensor& h) { rows_.write(begin, h); }

 private:
  RowStore rows_;
};

/// Token ids of windows begin ... end - 1: [end - begin, window] int64.
at::Tensor ids_of(const Windows& windows, std::int64_t begin, std::int64_t end);

/// Concatenates the results of `work(begin, end)` for consecutive chunks along the first dimension.
template <class Work>
at::Tensor in_chunks(std::int64_t count, std::int64_t chunk, Work&& work) {
  std::vector<at::Tensor> parts;
  for_chunks(count, chunk, [&](std::int64_t begin, std::int64_t end) { parts.push_back(work(begin, end)); });
  return at::cat(parts);
}

}  // namespace ladimo
