#include "commands/product_counter.h"

#include <string_view>

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include "base/work.h"

namespace ladimo {
namespace {

/// Which two inputs of an operator are multiplied: the first is at this position, the second follows. -1 for
/// an operator that is no product. linear and matmul end in one of these.
int first_factor(std::string_view name) {
  if (name == "aten::mm" || name == "aten::bmm") return 0;
  if (name == "aten::addmm" || name == "aten::addmm_" || name == "aten::baddbmm") return 1;
  return -1;
}

std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& function) {
  const int first = first_factor(function.name());
  if (first < 0) return nullptr;
  const auto inputs = function.inputs();
  const auto i = static_cast<std::size_t>(first);
  if (inputs.size() <= i + 1 || !inputs[i].isTensor() || !inputs[i + 1].isTensor()) return nullptr;
  const auto columns = inputs[i + 1].toTensor().size(-1);
  count_flops(2 * static_cast<double>(inputs[i].toTensor().numel()) * static_cast<double>(columns));
  return nullptr;
}

}  // namespace

ProductCounter::ProductCounter()
    : callback_(at::addGlobalCallback(
          at::RecordFunctionCallback(&count).needsInputs(true).scopes({at::RecordScope::FUNCTION}))) {}

ProductCounter::~ProductCounter() { at::removeCallback(callback_); }

}  // namespace ladimo
