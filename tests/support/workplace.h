// The starting point of command-line tests: a pico model, text and a short conversion.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/calibration_text.h"
#include "support/pico_model.h"
#include "support/process.h"

namespace ladimo::testing {

/// A pico model, text, and the arguments of a short conversion.
struct Workplace {
  TemporaryFolder folder;
  std::filesystem::path model = folder / "model", text = folder / "calibration.txt",
                        held_out = folder / "held-out.txt";

  explicit Workplace(const ModelShape& shape = {.layers = 3}) {
    write_pico_model(model, shape);
    write_text(text, 400);
    write_text(held_out, 100, 1);
  }
  std::vector<std::string> convert(const std::filesystem::path& output,
                                   std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"convert",
                                          model,
                                          "-o",
                                          output,
                                          "--text",
                                          text,
                                          "--tokens",
                                          "8000",
                                          "--experts",
                                          "12",
                                          "--held-out-tokens",
                                          "2000",
                                          "--threads",
                                          "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

inline nlohmann::json json_of(const std::vector<std::string>& arguments) {
  auto with_json = arguments;
  with_json.emplace_back("--json");
  const auto finished = run(with_json);
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  return nlohmann::json::parse(finished.out);
}

inline void check_keys(const nlohmann::json& json, const std::vector<const char*>& keys) {
  for (const char* key : keys) {
    INFO(key);
    CHECK(json.contains(key));
  }
}

}  // namespace ladimo::testing
