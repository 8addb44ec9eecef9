// How the finish moves the parameters of a student.
#pragma once

#include <optional>
#include <vector>

#include "convert/adam.h"
#include "training/elastic_student.h"

namespace ladimo {

/// Adam on all parameters of a student, which can go back to an earlier state.
class StudentOptimiser {
 public:
  /// Keeps the student's first state. The parameters stay shared with the student.
  StudentOptimiser(const ElasticStudent& student, double learning_rate);

  /// One step. `schedule` is a factor on the learning rate. The step is shortened where it would lower the
  /// loss by more than `most`, to first order and judged by the step before: gradients cannot be trusted that
  /// far. Every weight moves by a share of its size, so a large model, whose gradients are mostly the noise
  /// of a batch, needs smaller steps than a small one. The first step only measures and is too small to
  /// matter. An undefined gradient moves nothing.
  void step(const std::vector<at::Tensor>& gradients, double schedule, double most);

  /// Stores the present state for go_back().
  void keep();
  void go_back();
  /// Forgets the moments and continues in steps a quarter as large. Near the dense model there is little to
  /// gain, and a step size that is right elsewhere loses more than that.
  void slow_down();

 private:
  void start();

  std::vector<at::Tensor> parameters_;
  std::vector<double> sizes_;
  std::vector<Adam> adam_;
  std::vector<at::Tensor> kept_;
  double rate_;
  std::optional<double> slope_;  // of the loss at the last step, per unit of the rate
};

}  // namespace ladimo
