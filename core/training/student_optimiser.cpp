#include "training/student_optimiser.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace ladimo {

StudentOptimiser::StudentOptimiser(const ElasticStudent& student, double learning_rate)
    : parameters_(student.parameters()), sizes_(student.step_sizes()), rate_(learning_rate) {
  start();
  keep();
}

void StudentOptimiser::start() {
  adam_.clear();
  for (std::size_t p = 0; p < parameters_.size(); ++p) adam_.emplace_back(parameters_[p], sizes_[p]);
}

void StudentOptimiser::step(const std::vector<at::Tensor>& gradients, double schedule, double most) {
  constexpr double measuring = 1e-3;  // share of the rate in the first step
  double rate = rate_ * schedule;
  if (!slope_)
    rate *= measuring;
  else if (*slope_ > 0)
    rate = std::min(rate, most / *slope_);
  at::Tensor added;
  for (std::size_t p = 0; p < adam_.size(); ++p) {
    if (!gradients[p].defined()) continue;
    const auto more = adam_[p].step(gradients[p], rate);
    added = added.defined() ? added + more : more;
  }
  if (added.defined()) slope_ = -added.item<double>() / rate;
}

void StudentOptimiser::keep() {
  kept_.clear();
  for (const auto& parameter : parameters_) kept_.push_back(parameter.clone());
}

void StudentOptimiser::go_back() {
  for (std::size_t p = 0; p < kept_.size(); ++p) parameters_[p].copy_(kept_[p]);
}

void StudentOptimiser::slow_down() {
  start();
  rate_ /= 4;
  slope_.reset();  // steps are longer without moments
}

}  // namespace ladimo
