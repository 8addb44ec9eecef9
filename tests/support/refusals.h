// Bad input and part of the sentence that the user reads.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ladimo::testing {

/// What a Refusal of `work` says: message, then hint; "" when it refuses nothing.
template <class Work>
std::string refusal_of(Work work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    return std::string(refusal.what()) + " | " + refusal.hint();
  }
  return {};
}

/// `work` refuses, says `part`, and gives a hint.
template <class Work>
void check_refused(const std::string& part, Work work) {
  const std::string said = refusal_of(work);
  INFO("said: ", said);
  INFO("expected: ", part);
  CHECK(said.find(part) != std::string::npos);
  CHECK_FALSE(said.ends_with("| "));
}

}  // namespace ladimo::testing
