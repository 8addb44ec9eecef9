// The attention of the decoding engine.
#include <algorithm>
#include <type_traits>

#include "decode/decoding_engine.h"
#include "decode/desk.h"
#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

// Keys or values of one head of one sequence [capacity, head_dim].
template <class T>
T* head_rows(const at::Tensor& cached, std::int64_t sequence, std::int64_t head) {
  return static_cast<T*>(cached.data_ptr()) + sequence * cached.stride(0) + head * cached.stride(1);
}

}  // namespace

void DecodingEngine::project_qkv(const Team::Member& me, Desk& desk, std::size_t layer, float* const* x) {
  const PreparedAttention& attention = *parts_.layers[layer].attention;
  const Reading reading = choose_inputs(me, desk, layer, Product::qkv, attention.qkv, x);
  const Range heads = me.part(attention.heads + 2 * attention.kv_heads);
  const Range panels{heads.begin * attention.head_panels, heads.end * attention.head_panels};
  const PanelMatrix& qkv = attention.qkv;
  const void* const next = attention.o.data(me.part(attention.o.panels()).begin);
  for (std::int64_t p = panels.begin; p < panels.end; ++p) {
    for (std::int64_t t = 0; t < rows_; ++t)
      desk.to[static_cast<std::size_t>(t)] = qkv_.data() + t * qkv_stride_ + qkv.first(p);
    multiply_panel(desk, qkv, p, reading, x, desk.every(rows_), p + 1 < panels.end ? nullptr : next);
  }
  for (std::int64_t head = heads.begin; head < heads.end; ++head) finish_head(attention, head, layer);
}

// Norms, rotates and scales a query head; norms, rotates and caches a key head; caches a value head.
void DecodingEngine::finish_head(const PreparedAttention& attention, std::int64_t head, std::size_t layer) {
  const std::int64_t dim = attention.head_dim;
  const bool query = head < attention.heads, value = head >= attention.heads + attention.kv_heads;
  const std::int64_t cached = query ? 0 : (head - attention.heads) % attention.kv_heads;
  const std::vector<float>& norm = query ? attention.q_norm : attention.k_norm;
  const at::Tensor& rows = value ? cache_->values(layer) : cache_->keys(layer);
  const std::int64_t turned = turns_.cos.size(1);
  const auto* const cos = static_cast<const float*>(turns_.cos.data_ptr());
  const auto* const sin = static_cast<const float*>(turns_.sin.data_ptr());
  for (std::int64_t t = 0; t < rows_; ++t) {
    float* const x = qkv_.data() + t * qkv_stride_ + head * dim;
    const std::int64_t position = start_ + t % width_;
    if (!value) {
      if (!norm.empty()) kernels().rms_norm(x, norm.data(), dim, attention.rms_eps, x);
      kernels().rotate(x, cos + position * turned, sin + position * turned, turned / 2);
    }
    if (query) {
      for (std::int64_t i = 0; i < dim; ++i) x[i] *= attention.scale;
    } else if (rows.scalar_type() == at::kFloat) {
      kernels().fp32.round(x, dim, head_rows<float>(rows, t / width_, cached) + position * dim);
    } else {
      kernels().bf16.round(x, dim, head_rows<c10::BFloat16>(rows, t / width_, cached) + position * dim);
    }
  }
}

// One new token per sequence.
void DecodingEngine::attend_one(const Team::Member& me, Desk& desk, std::size_t layer) {
  const PreparedAttention& attention = *parts_.layers[layer].attention;
  const std::int64_t dim = attention.head_dim, group = attention.heads / attention.kv_heads;
  const at::Tensor& keys = cache_->keys(layer);
  const at::Tensor& values = cache_->values(layer);
  const std::int64_t end = start_ + 1;
  const std::int64_t begin =
      attention.sliding_window > 0 ? std::max<std::int64_t>(end - attention.sliding_window, 0) : 0;
  const auto attend_as = [&]<class T>(std::int64_t t, std::int64_t head, float* y) {
    const HeadCache<T> cache{head_rows<T>(keys, t, head / group) + begin * dim,
                             head_rows<T>(values, t, head / group) + begin * dim,
                             end - begin,
                             dim,
                             dim,
                             dim};
    kernels().of<T>().attend(cache, qkv_.data() + t * qkv_stride_ + head * dim, desk.scores.data(), y);
  };
  const Range mine = me.part(rows_ * attention.heads);
  for (std::int64_t unit = mine.begin; unit < mine.end; ++unit) {
    const std::int64_t t = unit / attention.heads, head = unit % attention.heads;
    float* const y = attended_.data() + t * attended_stride_ + head * dim;
    std::fill_n(y, dim, 0.0f);
    if (keys.scalar_type() == at::kFloat)
      attend_as.template operator()<float>(t, head, y);
    else
      attend_as.template operator()<c10::BFloat16>(t, head, y);
  }
}

// Several new tokens per sequence, in blocks of queries that share their keys.
void DecodingEngine::attend_many(Desk& desk, std::size_t layer) {
  const PreparedAttention& attention = *parts_.layers[layer].attention;
  const std::int64_t group = attention.heads / attention.kv_heads;
  // Tiles keep the scores of 32 rows only.
  const std::int64_t most =
      attends_in_tiles_ ? Desk::most_queries : Desk::most_scores / (group * (start_ + width_));
  const std::int64_t queries = std::clamp<std::int64_t>(most, 1, Desk::most_queries);
  const std::int64_t blocks = (width_ + queries - 1) / queries;
  const std::int64_t units = rows_ / width_ * attention.kv_heads * blocks;
  // Later queries see more keys, so who is free takes the next block, and the last blocks come first.
  for (std::int64_t unit = units - 1 - claimed_.fetch_add(1); unit >= 0;
       unit = units - 1 - claimed_.fetch_add(1)) {
    if (cache_->keys(layer).scalar_type() == at::kFloat)
      attend_queries<float>(desk, layer, unit, queries);
    else
      attend_queries<c10::BFloat16>(desk, layer, unit, queries);
  }
}

template <class T>
void DecodingEngine::attend_queries(Desk& desk, std::size_t layer, std::int64_t unit, std::int64_t queries) {
  const PreparedAttention& attention = *parts_.layers[layer].attention;
  const KernelTable& kernel = kernels();
  const std::int64_t dim = attention.head_dim, group = attention.heads / attention.kv_heads;
  const std::int64_t heads = rows_ / width_ * attention.kv_heads;  // of all sequences
  const std::int64_t block = unit / heads, kv = unit % attention.kv_heads;
  const std::int64_t sequence = unit % heads / attention.kv_heads;
  const std::int64_t first = block * queries, count = std::min(queries, width_ - first);
  const auto seen_from = [&](std::int64_t query) {
    return attention.sliding_window > 0
               ? std::max<std::int64_t>(start_ + query + 1 - attention.sliding_window, 0)
               : 0;
  };
  const std::int64_t begin = seen_from(first), end = start_ + first + count;
  const std::int64_t stride = end - begin, rows = group * count;

  const auto column_of = [&](std::int64_t row) { return (kv * group + row / count) * dim; };
  const auto at = [&](std::int64_t row) { return sequence * width_ + first + row % count; };
  for (std::int64_t r = 0; r < rows; ++r)
    desk.attending[static_cast<std::size_t>(r)] = qkv_.data() + at(r) * qkv_stride_ + column_of(r);
  const auto results = [&](std::int64_t column) {
    for (std::int64_t r = 0; r < rows; ++r)
      desk.attended[static_cast<std::size_t>(r)] =
          attended_.data() + at(r) * attended_stride_ + column_of(r) + column;
  };
  const T* const keys = head_rows<T>(cache_->keys(layer), sequence, kv);
  const T* const values = head_rows<T>(cache_->values(layer), sequence, kv);
  if constexpr (std::is_same_v<T, c10::BFloat16>)
    if (attends_in_tiles_) {
      for (std::int64_t r = 0; r < rows; ++r) {
        desk.seen_from[static_cast<std::size_t>(r)] = seen_from(first + r % count) - begin;
        desk.seen_to[static_cast<std::size_t>(r)] = start_ + first + r % count + 1 - begin;
      }
      results(0);
      return kernel.tiles.attend(
          {keys + begin * dim, values + begin * dim, stride, dim, dim, dim},
          {desk.attending.data(), desk.seen_from.data(), desk.seen_to.data(), desk.attended.data(), rows},
          desk.room.get());
    }
  std::fill_n(desk.scores.data(), rows * stride, 0.0f);
  for (std::int64_t j = begin; j < end; j += widest_panel) {
    const std::int64_t n = std::min(widest_panel, end - j);
    for (std::int64_t c = 0; c < n; ++c)
      for (std::int64_t i = 0; i < dim; ++i)
        desk.keys[static_cast<std::size_t>(i * widest_panel + c)] =
            static_cast<float>(keys[(j + c) * dim + i]);
    for (std::int64_t r = 0; r < rows; ++r)
      desk.attended[static_cast<std::size_t>(r)] = desk.scores.data() + r * stride + (j - begin);
    kernel.fp32.multiply({desk.keys.data(), 0, dim, n, widest_panel, desk.keys.data()}, desk.attending.data(),
                         desk.attended.data(), rows);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    float* const scores = desk.scores.data() + r * stride;
    const std::int64_t from = seen_from(first + r % count) - begin,
                       to = start_ + first + r % count + 1 - begin;
    double log_normaliser;
    kernel.softmax(scores + from, to - from, scores + from, &log_normaliser);
    std::fill_n(scores, from, 0.0f);
    std::fill_n(scores + to, stride - to, 0.0f);
    desk.attending[static_cast<std::size_t>(r)] = scores;
  }
  results(0);
  for (std::int64_t r = 0; r < rows; ++r) std::fill_n(desk.attended[static_cast<std::size_t>(r)], dim, 0.0f);
  for (std::int64_t j = begin; j < end; j += widest_panel) {
    const std::int64_t n = std::min(widest_panel, end - j);
    kernel.of<T>().widen(values + j * dim, n * dim, desk.values.data());
    for (std::int64_t column = 0; column < dim; column += widest_panel) {
      results(column);
      kernel.fp32.multiply({desk.values.data() + column, j - begin, n, std::min(widest_panel, dim - column),
                            dim, desk.values.data()},
                           desk.attending.data(), desk.attended.data(), rows);
    }
  }
}

void DecodingEngine::project_o(const Team::Member& me, Desk& desk, std::size_t layer) {
  const PreparedAttention& attention = *parts_.layers[layer].attention;
  const PanelMatrix& o = attention.o;
  for (std::int64_t t = 0; t < rows_; ++t) {
    desk.normed[static_cast<std::size_t>(t)] = attended_.data() + t * attended_stride_;
    desk.to[static_cast<std::size_t>(t)] = desk.sums.data() + t * widest_panel;
  }
  const Reading reading = choose_inputs(me, desk, layer, Product::o, o, desk.normed.data());
  const PanelMatrix& gate_up = parts_.layers[layer].ffn->gate_up;
  const Range mine = me.part(o.panels());
  for (std::int64_t p = mine.begin; p < mine.end; ++p) {
    const void* const next = p + 1 < mine.end ? nullptr : gate_up.data(me.part(gate_up.panels()).begin);
    multiply_panel(desk, o, p, reading, desk.normed.data(), desk.every(rows_), next);
    add_to_stream(desk, o, p, attention.residual_multiplier);
  }
}

}  // namespace ladimo
