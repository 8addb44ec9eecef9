// FFNs that give the same output whatever their input is. Merges that insert layers make such identity layers
// by zeroing a projection. There is nothing to distil in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "checkpoint/checkpoint.h"

namespace ladimo {

struct ConstantFfn {
  int layer = 0;
  std::string zero;  // name of a tensor that is all zero, which makes the output constant
};

/// The dense FFNs of a checkpoint whose output is constant: the norm, the down projection, or the gate or up
/// projection together with its bias is all zero. Little is read of the others, because one element that is
/// not zero settles it.
std::vector<ConstantFfn> find_constant_ffns(const Checkpoint& checkpoint);

/// Says that these layers stay dense, and why. Absent when there are none.
std::optional<Problem> constant_ffn_warning(const std::vector<ConstantFfn>& ffns,
                                            const std::filesystem::path& folder);

}  // namespace ladimo
