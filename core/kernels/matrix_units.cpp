#include "kernels/matrix_units.h"

#include <atomic>
#include <memory>

#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <c10/util/Exception.h>
#include <torch/library.h>
#include <torch/version.h>

#include "kernels/matrix_product.h"

namespace ladimo {
namespace {

std::atomic<int> exact_only = 0;

constexpr std::int64_t fewest_inputs = 32;
constexpr double fewest_products = 1 << 22;
constexpr double laying_out = 48;  // multiplications with another number that laying out one number takes

bool lies_flat(const at::Tensor& t) { return t.stride(0) == 1 || t.stride(1) == 1; }

/// Whether a b is worth it. a [m, k], b [k, n].
bool is_large(const at::Tensor& a, const at::Tensor& b) {
  if (a.dim() != 2 || b.dim() != 2 || a.size(1) != b.size(0) || exact_only > 0) return false;
  if (a.scalar_type() != at::kFloat || b.scalar_type() != at::kFloat) return false;
  const auto m = static_cast<double>(a.size(0)), k = static_cast<double>(a.size(1)),
             n = static_cast<double>(b.size(1));
  return a.size(1) >= fewest_inputs && m * n * k >= fewest_products && m * n > laying_out * (m + n) &&
         lies_flat(a) && lies_flat(b);
}

/// c = a b, or c + a b with `add`. c [m, n] lies row by row.
void multiply(const at::Tensor& a, const at::Tensor& b, at::Tensor& c, bool add) {
  multiply_large({a.data_ptr<float>(), a.size(0), a.size(1), a.stride(0), a.stride(1)},
                 {b.data_ptr<float>(), b.size(1), b.size(0), b.stride(1), b.stride(0)}, c.data_ptr<float>(),
                 c.stride(0), add);
}

at::Tensor mm(const at::Tensor& a, const at::Tensor& b) {
  if (!is_large(a, b)) return at::cpu::mm(a, b);
  at::Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  multiply(a, b, c, false);
  return c;
}

at::Tensor addmm(const at::Tensor& added, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                 const at::Scalar& alpha) {
  if (!is_large(a, b) || beta.toDouble() != 1 || alpha.toDouble() != 1)
    return at::cpu::addmm(added, a, b, beta, alpha);
  at::Tensor c = at::empty({a.size(0), b.size(1)}, a.options());
  c.copy_(added.expand_as(c));
  multiply(a, b, c, true);
  return c;
}

at::Tensor& addmm_(at::Tensor& c, const at::Tensor& a, const at::Tensor& b, const at::Scalar& beta,
                   const at::Scalar& alpha) {
  const bool ours = is_large(a, b) && beta.toDouble() == 1 && alpha.toDouble() == 1 &&
                    c.scalar_type() == at::kFloat && c.dim() == 2 && c.stride(1) == 1 &&
                    c.size(0) == a.size(0) && c.size(1) == b.size(1);
  if (!ours) return at::cpu::addmm_(c, a, b, beta, alpha);
  multiply(a, b, c, true);
  return c;
}

/// libtorch warns about kernels that replace its own.
class Silence : public c10::WarningHandler {
 public:
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning&) override {}
#else
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
#endif
};
#if TORCH_VERSION_MAJOR >= 2
using WarningsGuard = c10::WarningUtils::WarningHandlerGuard;
#else
using WarningsGuard = c10::Warning::WarningHandlerGuard;
#endif

}  // namespace

void use_matrix_units() {
  if (!can_multiply_large()) return;
  static const auto registration = [] {
    Silence silence;
    const WarningsGuard guard(&silence);
    auto library = std::make_unique<torch::Library>(torch::Library::IMPL, "aten", c10::DispatchKey::CPU,
                                                    __FILE__, __LINE__);
    library->impl("mm", TORCH_FN(mm));
    library->impl("addmm", TORCH_FN(addmm));
    library->impl("addmm_", TORCH_FN(addmm_));
    return library;
  }();
}

ExactProducts::ExactProducts() { ++exact_only; }
ExactProducts::~ExactProducts() { --exact_only; }

}  // namespace ladimo
