// Large fp32 products of libtorch on the CPU through Intel AMX (kernels/matrix_product.h).
#pragma once

namespace ladimo {

/// From now on at::mm, at::addmm and what is made of them (at::linear, gradients) multiply large fp32
/// matrices with AMX, on processors that have it. Factors are then exact to 2^-17. Other products stay
/// libtorch's, those in bf16 too, for which it has AMX itself. Does nothing on other processors. May be
/// called more than once.
void use_matrix_units();

/// While one exists, all products are libtorch's, with factors in full fp32.
class ExactProducts {
 public:
  ExactProducts();
  ~ExactProducts();
  ExactProducts(const ExactProducts&) = delete;
  ExactProducts& operator=(const ExactProducts&) = delete;
};

}  // namespace ladimo
