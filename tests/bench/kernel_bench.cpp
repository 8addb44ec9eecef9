// The limits of this machine and how near the kernels come, with as many threads as it has processors:
//   ladimo_bench_kernels
#include <numeric>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "evaluate/timing.h"
#include "kernels/matrix_product.h"
#include "kernels/panels.h"
#include "kernels/read_probe.h"
#include "kernels/team.h"

using namespace ladimo;

namespace {

constexpr std::int64_t inputs = 576, panels = 2400, width = widest_panel;  // 265 MB in bf16, as SmolLM2
constexpr std::int64_t steps = tiles_of(inputs);
constexpr int rounds = 7;

// Multiplies all panels with `tokens` vectors, each member its part of the panels.
struct Product {
  Arena arena;
  PanelMatrix matrix;
  Team team;
  std::int64_t tokens;
  std::vector<float> x;
  std::vector<VectorTile> tiles;      // of x, for matrix registers
  std::vector<std::int32_t> numbers;  // of the vectors

  Product(PanelType type, std::int64_t count, std::int64_t vectors)
      : matrix(arena, type, inputs, false, std::vector<std::int64_t>(static_cast<std::size_t>(count), width)),
        tokens(vectors),
        x(static_cast<std::size_t>(vectors * inputs), 0.5f),
        tiles(static_cast<std::size_t>(tiles_of(vectors) * steps)),
        numbers(static_cast<std::size_t>(vectors)) {
    std::iota(numbers.begin(), numbers.end(), 0);
    const at::Tensor values = at::full({inputs, width}, 0.01);
    for (std::int64_t p = 0; p < count; ++p) matrix.set(p, values);
  }
  bool in_tiles() const { return matrix.in_tiles() && tokens >= PanelMatrix::many; }
  void run() {
    if (in_tiles())
      for (std::int64_t t = 0; t < tokens; ++t)
        kernels().tiles.split(x.data() + t * inputs, inputs, t % tile_size,
                              tiles.data() + t / tile_size * steps);
    team.run(at::get_num_threads(), [this](const Team::Member& me) {
      std::vector<float> y(static_cast<std::size_t>(tokens * width));
      std::vector<const float*> from;
      std::vector<float*> to;
      for (std::int64_t t = 0; t < tokens; ++t) {
        from.push_back(x.data() + t * inputs);
        to.push_back(y.data() + t * width);
      }
      const Range mine = me.part(matrix.panels());
      for (std::int64_t p = mine.begin; p < mine.end; ++p)
        if (in_tiles())
          matrix.multiply_tiles(p, tiles.data(), numbers, to.data(), nullptr);
        else
          matrix.multiply(p, {0, inputs}, from.data(), to.data(), tokens, nullptr);
    });
  }
  double bytes() const {
    return static_cast<double>(matrix.panels() * width * inputs) * matrix.element_bytes();
  }
  double flops() const { return static_cast<double>(2 * tokens * matrix.panels() * width * inputs); }
};

}  // namespace

int main() {
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  const at::NoGradGuard no_grad;
  Product few(PanelType::bf16, panels, 1), many(PanelType::bf16, panels / 40, 512);
  Product few_blocks(PanelType::q8_0, 2 * panels, 1), many_blocks(PanelType::q8_0, panels / 40, 512);
  ReadProbe memory(static_cast<std::size_t>(few.bytes()));
  const at::Tensor x = at::randn({512, inputs}), w = at::randn({1536, inputs});
  const at::Tensor coarse_x = x.to(at::kBFloat16), coarse_w = w.to(at::kBFloat16);
  constexpr std::int64_t rows = 2048;  // about as many as a walk computes together
  const at::Tensor many_x = at::randn({rows, inputs}), product = at::empty({rows, w.size(0)});
  const auto large = [&] {
    if (can_multiply_large())
      multiply_large({many_x.data_ptr<float>(), rows, inputs, inputs, 1},
                     {w.data_ptr<float>(), w.size(0), inputs, inputs, 1}, product.data_ptr<float>(),
                     w.size(0), false);
  };
  const auto seconds = median_seconds(
      {[&] { memory.read(); }, [&] { few.run(); }, [&] { many.run(); }, [&] { at::linear(x, w); },
       [&] { at::linear(coarse_x, coarse_w); }, [&] { few_blocks.run(); }, [&] { many_blocks.run(); },
       [&] { at::linear(many_x, w); }, large},
      rounds, 3);
  const double linear_flops = 2.0 * 512 * 1536 * inputs;
  fmt::print("reading memory                     {:.1f} GB/s\n", memory.bytes() / seconds[0] / 1e9);
  fmt::print("bf16 panels with one vector        {:.1f} GB/s, {:.0f} % of that\n",
             few.bytes() / seconds[1] / 1e9, 100 * few.bytes() / seconds[1] / (memory.bytes() / seconds[0]));
  fmt::print("bf16 panels with 512 vectors       {:.0f} GFLOP/s\n", many.flops() / seconds[2] / 1e9);
  fmt::print("q8_0 panels with one vector        {:.1f} GB/s, {:.0f} % of reading\n",
             few_blocks.bytes() / seconds[5] / 1e9,
             100 * few_blocks.bytes() / seconds[5] / (memory.bytes() / seconds[0]));
  fmt::print("q8_0 panels with 512 vectors       {:.0f} GFLOP/s\n", many_blocks.flops() / seconds[6] / 1e9);
  fmt::print("libtorch, fp32, 512 x 576 x 1536   {:.0f} GFLOP/s\n", linear_flops / seconds[3] / 1e9);
  fmt::print("libtorch, bf16, the same           {:.0f} GFLOP/s\n", linear_flops / seconds[4] / 1e9);
  const double large_flops = linear_flops * rows / 512;
  fmt::print("libtorch, fp32, 2048 x 576 x 1536  {:.0f} GFLOP/s\n", large_flops / seconds[7] / 1e9);
  if (can_multiply_large())
    fmt::print("fp32 through AMX, the same         {:.0f} GFLOP/s\n", large_flops / seconds[8] / 1e9);
}
