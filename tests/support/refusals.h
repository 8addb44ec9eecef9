// Checks that bad input is refused with the expected sentence.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ladimo::testing {

/// The message and hint of the Refusal that `work` throws, or "" when it throws none.
template <class Work>
std::string refusal_of(Work work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    return std::string(refusal.what()) + " | " + refusal.hint();
  }
  return {};
}

/// Checks that `work` throws a Refusal that contains `part` and has a hint.
template <class Work>
void check_refused(const std::string& part, Work work) {
  const std::string said = refusal_of(work);
  INFO("said: ", said);
  INFO("expected: ", part);
  CHECK(said.find(part) != std::string::npos);
  CHECK_FALSE(said.ends_with("| "));
}

}  // namespace ladimo::testing
