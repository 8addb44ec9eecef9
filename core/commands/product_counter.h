// Counts the floating-point operations of libtorch's matrix products.
#pragma once

#include <cstdint>

namespace ladimo {

/// While it lives, every matrix product of this process, on any thread and any device, adds its operations to
/// base/work.h. Products in autograd's backward passes count too; factorisations and everything element by
/// element do not.
class ProductCounter {
 public:
  ProductCounter();
  ~ProductCounter();
  ProductCounter(const ProductCounter&) = delete;
  ProductCounter& operator=(const ProductCounter&) = delete;

 private:
  std::uint64_t callback_;
};

}  // namespace ladimo
