// Single inputs that a product leaves out because they are small (TEAL, arXiv 2408.14690).
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// x [..., n] with zeros where |x| < threshold. `first` [rows] bool says which rows begin a text; they stay
/// as they are, because later tokens attend to the first one more than to any other, whatever it says
/// (attention sinks, arXiv 2309.17453). Undefined: no row begins a text.
at::Tensor large_inputs(const at::Tensor& x, double threshold, const at::Tensor& first);
/// The same for neurons h [T, f], whose size is |h| times their norm [f] fp32.
at::Tensor large_neurons(const at::Tensor& h, const at::Tensor& norm, double threshold,
                         const at::Tensor& first);

/// How many of x [..., n] are not zero: [rows] fp32.
at::Tensor used_inputs(const at::Tensor& x);

}  // namespace ladimo
