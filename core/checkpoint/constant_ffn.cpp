#include "checkpoint/constant_ffn.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/weight_values.h"

namespace ladimo {
namespace {

constexpr std::size_t listed = 3;  // zero tensors that are named

bool is_zero(const Checkpoint& checkpoint, Role role, int layer) {
  return is_all_zero(checkpoint.tensor(role, layer));
}

/// The tensor that makes the output of a layer's FFN constant.
std::optional<Role> zero_role(const Checkpoint& checkpoint, int layer) {
  for (const Role role : {Role::ffn_norm, Role::down})
    if (is_zero(checkpoint, role, layer)) return role;
  for (const auto& [role, bias] : {std::pair{Role::gate, Role::gate_bias}, {Role::up, Role::up_bias}})
    if (is_zero(checkpoint, role, layer) &&
        (!checkpoint.has(bias, layer) || is_zero(checkpoint, bias, layer)))
      return role;
  return std::nullopt;
}

}  // namespace

std::vector<ConstantFfn> find_constant_ffns(const Checkpoint& checkpoint) {
  std::vector<ConstantFfn> found;
  for (int layer = 0; layer < static_cast<int>(checkpoint.config().layers); ++layer)
    if (checkpoint.has(Role::gate, layer))
      if (const auto zero = zero_role(checkpoint, layer)) found.push_back({layer, tensor_name(*zero, layer)});
  return found;
}

std::optional<Problem> constant_ffn_warning(const std::vector<ConstantFfn>& ffns,
                                            const std::filesystem::path& folder) {
  if (ffns.empty()) return std::nullopt;
  std::vector<int> layers;
  std::vector<std::string> zeros;
  for (const ConstantFfn& ffn : ffns) {
    layers.push_back(ffn.layer);
    if (zeros.size() < listed) zeros.push_back(ffn.zero);
  }
  const bool one = ffns.size() == 1;
  const auto more = ffns.size() - zeros.size();
  return Problem{
      fmt::format("The FFN{} of layer{} {} give{} the same output for every input, because {}{} {} "
                  "all zero.",
                  one ? "" : "s", one ? "" : "s", fmt::join(layers, ", "), one ? "s" : "",
                  fmt::join(zeros, ", "), more > 0 ? fmt::format(" and {} more", more) : "",
                  one ? "is" : "are"),
      one ? "The layer stays dense." : "These layers stay dense.", folder};
}

}  // namespace ladimo
