// What bench takes and says, and weights held as q8_0.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("bench says what holding weights as q8_0 saves and what it costs") {
  const Workplace work;
  const auto plain = json_of({"bench", work.model, "--threads", "1"});
  CHECK(plain["dtype"] == "float32");
  CHECK(plain["hold"].is_null());
  const auto held = json_of({"bench", work.model, "--threads", "1", "--hold", "q8_0"});
  CHECK(held["dtype"] == "q8_0");
  CHECK(held["hold"]["tokens"] > 0);
  CHECK(held["hold"]["kl"] > 0.0);
  CHECK(held["hold"]["kl"] < 0.01);
  const double ratio =
      held["decode"]["bytes_per_token"].get<double>() / plain["decode"]["bytes_per_token"].get<double>();
  CHECK(ratio == doctest::Approx(34.0 / 32 / 4).epsilon(0.02));
}

TEST_CASE("bench times a text that is given, and refuses one that is missing") {
  const Workplace work;
  const auto timed = json_of({"bench", work.model, "--threads", "1", "--text", work.text});
  CHECK(timed["decode"]["dense_tokens_per_s"] > 0.0);
  CHECK(timed["decode"]["predicted_ms"].is_null());  // a model has no latency table
  const auto refused = run({"bench", work.model, "--text", work.folder / "missing.txt"});
  CHECK(refused.status == 2);
  CHECK((refused.out + refused.err).find("There is no file") != std::string::npos);
}

TEST_CASE("generate and serve hold weights as q8_0") {
  const Workplace work;
  const auto generated =
      json_of({"generate", work.model, "--prompt", "the cat", "--max-tokens", "5", "--hold", "q8_0"});
  CHECK_FALSE(generated["tokens"].empty());
  Process server({"serve", work.model, "--hold", "q8_0"});
  server.close_stdin();
  CHECK(server.wait().status == 0);
}

TEST_CASE("other ways to hold weights are refused with a hint") {
  const Workplace work;
  for (const char* command : {"bench", "generate", "serve"}) {
    CAPTURE(command);
    std::vector<std::string> arguments = {command, work.model, "--hold", "q4_0"};
    if (std::string(command) == "generate") arguments.insert(arguments.end(), {"--prompt", "the cat"});
    const auto refused = run(arguments);
    CHECK(refused.status == 2);
    CHECK((refused.out + refused.err).find("Weights cannot be held as") != std::string::npos);
  }
}
