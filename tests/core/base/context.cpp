#include "base/context.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace ladimo;

TEST_CASE("passes that are parts of one step report a single progress that never decreases") {
  std::vector<ProgressEvent> told;
  std::atomic<bool> cancel = false;
  const Context whole(
      [&](const Event& event) {
        if (const auto* progress = std::get_if<ProgressEvent>(&event)) told.push_back(*progress);
      },
      &cancel);
  for (const auto& [begin, end] : {std::pair(0.0, 0.25), std::pair(0.25, 1.0)}) {
    const Context part = whole.part(begin, end);
    Progress progress(part, 7);
    for (int i = 0; i < 7; ++i) progress.advance();
  }
  REQUIRE(told.size() >= 4);
  for (std::size_t i = 1; i < told.size(); ++i) {
    CHECK(told[i].done >= told[i - 1].done);
    CHECK(told[i].total == told.front().total);
  }
  CHECK(told.back().done == told.back().total);
  CHECK(told.back().eta_s == doctest::Approx(0));
  // The step is a quarter done when its first part ends.
  CHECK(std::ranges::any_of(told,
                            [](const ProgressEvent& e) { return 4 * e.done == e.total && e.eta_s >= 0; }));

  // The progress of a layer is not scaled to the part.
  const Context part = whole.part(0.5, 0.6);
  Progress(part, 3, 2, "router").advance(3);
  CHECK(told.back().layer == 2);
  CHECK(told.back().done == 3);
  CHECK(told.back().total == 3);

  cancel = true;
  CHECK_THROWS_AS(part.check(), Interrupted);
}
