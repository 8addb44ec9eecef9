// What the engine says of itself, which the window shows and puts into reports.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/machine.h"
#include "base/version.h"
#include "run/engine_facts.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("about tells the versions and what of the machine is used") {
  const EngineFacts facts = engine_facts_from_json(json_of({"about"}));
  CHECK(facts.version == version());
  CHECK(facts.compiler == compiler());
  CHECK(facts.libtorch.find('.') != std::string::npos);
  CHECK(facts.processor == processor_name());
  CHECK(facts.threads >= 1);
  CHECK(facts.memory_bytes == memory_bytes());
  CHECK(facts.memory_bytes > 100'000'000);
  CHECK_FALSE(facts.kernels.empty());
  const auto text = run({"about"});
  CHECK(text.status == 0);
  CHECK(text.out.find("libtorch " + facts.libtorch) != std::string::npos);
}
