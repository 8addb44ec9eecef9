// A plan as the engine tells it: the steps, what they take, and what stands in the way.
#pragma once

#include <vector>

#include <QByteArray>

#include "run/plan.h"

namespace ladimo::ui {

struct PlanFacts {
  bool resumes = false;  // the folder holds a run that goes on
  std::vector<PlanStep> steps;
  Recipe recipe;  // resolved
  std::int64_t tokens = 0;
  std::int64_t windows = 0;
  std::uint64_t ram_bytes = 0;
  std::uint64_t disk_bytes = 0;
  double seconds = 0;
  std::vector<Problem> problems;
};

/// Reads the result of `ladimo plan`. Throws Refusal when it is not one.
PlanFacts read_plan(const QByteArray& json);

}  // namespace ladimo::ui
