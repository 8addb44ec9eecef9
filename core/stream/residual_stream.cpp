#include "stream/residual_stream.h"

#include <ATen/ATen.h>

#include "model/weight_source.h"

namespace ladimo {

ResidualStream::ResidualStream(const WeightSource& source, std::int64_t windows, std::int64_t positions,
                               const Context& context)
    : ResidualStream(source, windows, positions, context, source.stream_dtype()) {}

ResidualStream::ResidualStream(const WeightSource& source, std::int64_t windows, std::int64_t positions,
                               const Context& context, at::ScalarType dtype)
    : rows_(windows, {positions, source.config().hidden_size},
            at::TensorOptions(source.dtype()).device(source.device()), dtype, context.memory()) {}

ResidualStream ResidualStream::embedded(const WeightSource& source, const Windows& windows,
                                        const Context& context) {
  return embedded(source, windows, context, source.stream_dtype());
}

ResidualStream ResidualStream::embedded(const WeightSource& source, const Windows& windows,
                                        const Context& context, at::ScalarType dtype) {
  ResidualStream stream(source, windows.count(), windows.window, context, dtype);
  const auto chunk = chunk_windows(source.config().hidden_size, windows.window);
  for_chunks(windows.count(), chunk, [&](std::int64_t begin, std::int64_t end) {
    stream.write(begin, source.embed(ids_of(windows, begin, end)));
  });
  return stream;
}

at::Tensor ids_of(const Windows& windows, std::int64_t begin, std::int64_t end) {
  const auto* tokens = windows.tokens.data() + begin * windows.window;
  const auto count = static_cast<std::size_t>((end - begin) * windows.window);
  return at::tensor(at::ArrayRef<std::int32_t>(tokens, count), at::kInt)
      .to(at::kLong)
      .view({end - begin, windows.window});
}

}  // namespace ladimo
