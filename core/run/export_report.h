// What `ladimo export` reports about a model that it wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "run/measurement.h"
#include "run/recipe.h"

namespace ladimo {

/// How far the written model, read again, differs from the run.
struct Verification {
  std::int64_t tokens = 0;  // tokens compared
  double max_logit_error = 0;
  double kl_against_run = 0;  // nats per token
};

/// The states of layers on their way into a format.
enum class FitState { as_it_is, fitted, finished };
/// "as_it_is", "fitted" or "finished".
const char* name_of(FitState state);

/// What a fit to a format costs (transfer/moe_fit.h), measured on the run's checking split.
struct FitPrice {
  std::int64_t tokens = 0;  // scored
  struct Numbers {
    double kl = 0;                  // nats per token
    double activated_fraction = 0;  // counted, of the dense model's activated parameters
  };
  Numbers wanted;    // the run under the policy that was asked for
  Numbers as_it_is;  // the policy that the format has, with what it cannot say left out
  Numbers fitted;    // the same after the fit
  /// And after training. Absent where that was not asked for or brought nothing.
  std::optional<Numbers> finished = {};
  FitState written = FitState::fitted;  // whichever is nearest to the dense model on validation windows

  const Numbers& of_written() const {
    return written == FitState::as_it_is ? as_it_is : written == FitState::fitted ? fitted : *finished;
  }
};

/// report.json of a model folder.
struct ExportReport {
  std::string program;  // "ladimo 1.0.0"
  Recipe recipe;
  Policy policy;
  Verification verification;
  std::vector<Measurement> measurements;  // of this policy, oldest first
  std::optional<FitPrice> fit = {};
  std::string format = "native";
};

/// Returns {schema, program, recipe, policy, verification{tokens, max_logit_error, kl_against_run},
/// measurements[], fit, format}.
nlohmann::json to_json(const ExportReport& report);
/// Reads what to_json() writes. Throws Refusal that names the file and the key.
ExportReport export_report_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// What `ladimo export` prints.
struct ExportResult {
  std::string format;
  std::filesystem::path path;
  std::vector<std::string> files;  // file names, sorted
  std::uint64_t bytes = 0;         // total size of the files
  Verification verification;
  std::optional<FitPrice> fit = {};
};

/// Returns {format, path, files[], bytes, the keys of `verification`, and `fit` or null}.
nlohmann::json to_json(const ExportResult& result);
/// Reads what to_json() writes. Throws Refusal that names the key.
ExportResult export_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
