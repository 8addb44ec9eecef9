// Which inputs the decoding engine reads, and from where.
#include <algorithm>
#include <numeric>

#include "decode/decoding_engine.h"
#include "decode/desk.h"
#include "kernels/kernel_table.h"

namespace ladimo {

// The inputs in a range that are read of a row. The first token of a text reads all (model/large_inputs.h).
std::int64_t DecodingEngine::choose_from(const float* x, const std::vector<float>& limits, Range range,
                                         std::int64_t row, std::int32_t* inputs) const {
  if (!begins(row)) return kernels().choose(x, limits.data(), range.begin, range.end, inputs);
  std::iota(inputs, inputs + (range.end - range.begin), static_cast<std::int32_t>(range.begin));
  return range.end - range.begin;
}

// Adds this member's part of the chosen rows, and waits for the others.
DecodingEngine::Reading DecodingEngine::read_rows(const Team::Member& me, Desk& desk, std::size_t layer,
                                                  Product product, const float* x) {
  const auto& rows = parts_.layers[layer].rows;
  const WideMatrix* const matrix = rows_ == 1 && rows ? rows->of(product) : nullptr;
  if (matrix == nullptr) return Reading::chosen;
  const auto limits = std::ssize(parts_.layers[layer].limits[product]);
  const auto count = desk.chosen[0].size() + (matrix->inputs() > limits ? 1 : 0);  // and the bias
  const auto [begin, end] = me.part(static_cast<std::int64_t>(count));
  float* const sums = partial_.data() + me.rank() * partial_stride_;
  members_ = me.size();
  std::fill_n(sums, matrix->room(), 0.0f);
  matrix->add_rows({desk.chosen[0].data() + begin, static_cast<std::size_t>(end - begin)}, x, sums);
  me.meet();
  return Reading::rows;
}

// Adds what the rows of all members make of some outputs.
void DecodingEngine::add_partial(Range columns, float* y) const {
  for (int member = 0; member < members_; ++member)
    kernels().add_scaled(partial_.data() + member * partial_stride_ + columns.begin, 1,
                         columns.end - columns.begin, y);
}

// Chooses the inputs that a product reads of every row. For few rows these are in desk.chosen. With many the
// weights are read for others anyway: what is not chosen becomes zero.
DecodingEngine::Reading DecodingEngine::choose_inputs(const Team::Member& me, Desk& desk, std::size_t layer,
                                                      Product product, const PanelMatrix& matrix,
                                                      float* const* x) {
  const std::vector<float>& limits = parts_.layers[layer].limits[product];
  if (limits.empty()) return split(me, matrix, x, rows_);
  const auto n = std::ssize(limits);
  std::int64_t read = 0;
  const bool few = rows_ <= Desk::few_rows;
  const Range mine = few ? Range{0, rows_} : me.part(rows_);
  for (std::int64_t t = mine.begin; t < mine.end; ++t) {
    if (!few) {
      read += begins(t) ? n : kernels().clear_small(x[t], limits.data(), n, x[t]);
      continue;
    }
    std::int32_t* const inputs = desk.inputs.data() + t * (n + 1);
    const std::int64_t count = choose_from(x[t], limits, {0, n}, t, inputs);
    inputs[count] = static_cast<std::int32_t>(n);  // of a bias, for products that have one
    desk.chosen[static_cast<std::size_t>(t)] = {inputs, static_cast<std::size_t>(count)};
    if (me.rank() == 0) read += count;
  }
  if (read > 0) read_[layer * all_products.size() + static_cast<std::size_t>(product)] += read;
  if (few) return read_rows(me, desk, layer, product, x[0]);
  me.meet();
  return split(me, matrix, x, rows_);
}

// Splits many vectors for a matrix that is multiplied in tiles, each member some of them, and waits for the
// others.
DecodingEngine::Reading DecodingEngine::split(const Team::Member& me, const PanelMatrix& matrix,
                                              const float* const* x, std::int64_t rows) {
  if (rows < PanelMatrix::many || !matrix.in_tiles()) return Reading::all;
  const std::int64_t n = matrix.inputs(), steps = tiles_of(n);
  const Range mine = me.part(rows);
  for (std::int64_t t = mine.begin; t < mine.end; ++t)
    kernels().tiles.split(x[t], n, t % tile_size, split_.data() + t / tile_size * steps);
  me.meet();
  return Reading::tiles;
}

// Chooses among the neurons that run, whose rows of the down projection are read.
DecodingEngine::Reading DecodingEngine::choose_neurons(const Team::Member& me, Desk& desk,
                                                       std::size_t layer) {
  const std::vector<float>& limits = parts_.layers[layer].limits[Product::down];
  if (limits.empty()) return Reading::all;
  const auto n = std::ssize(limits);
  std::int64_t read = 0;
  const bool few = rows_ <= Desk::few_rows;
  const Range mine = few ? Range{0, rows_} : me.part(rows_);
  if (few)
    for (std::int64_t t = 0; t < rows_; ++t)
      desk.chosen[static_cast<std::size_t>(t)] = {desk.inputs.data() + t * n, 0};
  for (const InputRun& run : desk.runs) {
    if (run.matrix != &parts_.layers[layer].ffn->down) continue;
    const auto [begin, end] = run.inputs;
    for (const std::int32_t t : run.tokens) {
      if (t < mine.begin || t >= mine.end) continue;
      float* const h = h_.data() + t * h_stride_;
      if (!few) {
        read += begins(t) ? end - begin
                          : kernels().clear_small(h + begin, limits.data() + begin, end - begin, h + begin);
        continue;
      }
      auto& chosen = desk.chosen[static_cast<std::size_t>(t)];
      std::int32_t* const inputs = desk.inputs.data() + t * n;
      const auto count = choose_from(h, limits, run.inputs, t, inputs + chosen.size());
      chosen = {inputs, chosen.size() + static_cast<std::size_t>(count)};
      if (me.rank() == 0) read += count;
    }
  }
  if (read > 0) read_[layer * all_products.size() + static_cast<std::size_t>(Product::down)] += read;
  if (few) return read_rows(me, desk, layer, Product::down, h_.data());
  me.meet();
  return Reading::all;
}

// Sets desk.to to what a panel makes of these rows of x.
void DecodingEngine::multiply_panel(Desk& desk, const PanelMatrix& matrix, std::int64_t panel,
                                    Reading reading, const float* const* x,
                                    std::span<const std::int32_t> tokens, const void* next) const {
  const std::int64_t width = matrix.width(panel);
  if (reading == Reading::tiles && std::ssize(tokens) >= PanelMatrix::many)
    return matrix.multiply_tiles(panel, split_.data(), tokens, desk.to.data(), next);
  for (std::size_t t = 0; t < tokens.size(); ++t) std::fill_n(desk.to[t], width, 0.0f);
  if (reading == Reading::rows)
    return add_partial({matrix.first(panel), matrix.first(panel) + width}, desk.to[0]);
  if (reading == Reading::all || reading == Reading::tiles) {
    for (std::size_t t = 0; t < tokens.size(); ++t) desk.from[t] = x[tokens[t]];
    return matrix.multiply(panel, {0, matrix.inputs()}, desk.from.data(), desk.to.data(), std::ssize(tokens),
                           next);
  }
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto inputs = desk.chosen[static_cast<std::size_t>(tokens[t])];
    const std::span with_bias(inputs.data(), inputs.size() + (matrix.biased() ? 1 : 0));
    matrix.multiply_chosen(panel, with_bias, x[tokens[t]], desk.to[t], next);
  }
}

}  // namespace ladimo
