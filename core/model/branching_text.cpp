#include "model/branching_text.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tensor.h>

#include "model/attention.h"
#include "model/large_inputs.h"

namespace ladimo {
namespace {

/// Several branching texts whose rows follow one another, and how they lie side by side, each with as many
/// places as the largest has rows.
struct BranchingRows {
  BranchingRows(std::span<const BranchingText> texts, at::Device device);

  /// Which places `queries` places from `query` on do not see, in `count` texts from `text` on: bool [count,
  /// queries, query + queries]. No row sees one that comes after it. With a sliding window (above 0) a row
  /// sees only that many tokens.
  at::Tensor hidden(std::int64_t query, std::int64_t queries, std::int64_t text, std::int64_t count,
                    std::int64_t sliding_window) const;

  at::Tensor position;        // [rows] int64, in the text
  at::Tensor place;           // [rows] int64, among texts * places
  at::Tensor row;             // [texts * places] int64, of every place; of an empty one any row
  at::Tensor place_position;  // [texts, places] int64
  at::Tensor place_branch;    // [texts, places] int64: 0 for the beginning, -1 for an empty place
  std::int64_t length = 0;    // of the longest text
};

BranchingRows::BranchingRows(std::span<const BranchingText> texts, at::Device device) {
  std::int64_t places = 0;
  for (const BranchingText& text : texts) {
    places = std::max(places, text.rows());
    length = std::max(length, text.length);
  }
  std::vector<std::int64_t> positions, places_of_rows, rows, place_positions, branches;
  for (const BranchingText& text : texts) {
    const auto end = rows.size() + static_cast<std::size_t>(places);
    const auto add = [&](std::int64_t begin, std::int64_t count, std::int64_t branch) {
      for (std::int64_t i = 0; i < count; ++i) {
        places_of_rows.push_back(std::ssize(rows));
        rows.push_back(std::ssize(positions));
        positions.push_back(begin + i);
        place_positions.push_back(begin + i);
        branches.push_back(branch);
      }
    };
    add(0, text.stem, 0);
    for (std::size_t b = 0; b < text.branches.size(); ++b)
      add(text.stem, text.branches[b], static_cast<std::int64_t>(b) + 1);
    rows.resize(end, 0);
    place_positions.resize(end, 0);
    branches.resize(end, -1);
  }
  const auto on_device = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values).to(device);
  };
  const std::vector<std::int64_t> side_by_side = {std::ssize(texts), places};
  position = on_device(positions);
  place = on_device(places_of_rows);
  row = on_device(rows);
  place_position = on_device(place_positions).view(side_by_side);
  place_branch = on_device(branches).view(side_by_side);
}

at::Tensor BranchingRows::hidden(std::int64_t query, std::int64_t queries, std::int64_t text,
                                 std::int64_t count, std::int64_t sliding_window) const {
  const auto of_queries = [&](const at::Tensor& places) {
    return places.narrow(0, text, count).narrow(1, query, queries).unsqueeze(2);
  };
  const auto of_keys = [&](const at::Tensor& places) {
    return places.narrow(0, text, count).narrow(1, 0, query + queries).unsqueeze(1);
  };
  const at::Tensor i = of_queries(place_position), j = of_keys(place_position);
  const at::Tensor branch = of_keys(place_branch);
  at::Tensor hidden = (j > i).logical_or_((branch != 0).logical_and(branch != of_queries(place_branch)));
  if (sliding_window > 0) hidden.logical_or_(j <= i - sliding_window);
  return hidden;
}

}  // namespace

at::Tensor attend(const DecoderLayer& layer, const at::Tensor& h, const Rotary& rotary,
                  std::span<const BranchingText> texts, const AttentionCuts& cuts, AttentionInputs& inputs) {
  const BranchingRows rows(texts, h.device());
  const Rotary::Tables tables = rotary.upto(rows.length);
  const Rotary::Tables turns = {tables.cos.index_select(0, rows.position),
                                tables.sin.index_select(0, rows.position)};
  const Projected all = project(layer, h.view({1, -1, h.size(-1)}), turns, 0, cuts, inputs);
  const std::int64_t count = std::ssize(texts), places = rows.place_position.size(1);
  const auto side_by_side = [&](const at::Tensor& t) {
    return t.index_select(2, rows.row).view({t.size(1), count, places, layer.head_dim}).transpose(0, 1);
  };
  const at::Tensor attended = attend_in_chunks(
      side_by_side(all.queries), side_by_side(all.keys), side_by_side(all.values), layer.attention_scale,
      [&](std::int64_t query, std::int64_t queries, std::int64_t text, std::int64_t n) {
        return Seen{0, query + queries, rows.hidden(query, queries, text, n, layer.sliding_window)};
      });
  const at::Tensor own = attended.view({count * places, -1}).index_select(0, rows.place);
  inputs.o = large_inputs(own, cuts.o, cuts.first);
  return h.add(at::linear(inputs.o, layer.o, layer.o_bias).view_as(h), layer.residual_multiplier);
}

}  // namespace ladimo
