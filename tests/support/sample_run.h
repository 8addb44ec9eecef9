// A run folder with one of two layers finished, written without a model.
#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "run/run_folder.h"
#include "support/temporary_folder.h"

namespace ladimo::testing {

/// Layers 0 and 1 are asked for, layer 1 is finished.
struct SampleRun {
  TemporaryFolder folder;
  RunFolder run{folder / "run"};

  SampleRun() {
    std::filesystem::create_directories(run.path() / "layers");
    Recipe recipe;
    recipe.window = 64;
    recipe.experts = 8;
    recipe.shared = 2;
    recipe.layers = {0, 1};
    write_json(run.recipe_file(), to_json(recipe));
    run.write_record({1, 0.3, 0.2, 0.1, 0.9, {0.15, 0.1}, "abc"});
    write_file(run.layer_weights(1), "weights");
  }
};

}  // namespace ladimo::testing
