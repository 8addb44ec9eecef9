// A run folder with one of two layers finished, written without a model.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "run/run_folder.h"
#include "support/temporary_folder.h"

namespace ladimo::testing {

/// A writer that writes `bytes` in place of a layer's weights.
inline LayerStore::Write writing(std::string bytes) {
  return [bytes = std::move(bytes)](const std::filesystem::path& file) { write_file(file, bytes); };
}

/// A run of layers 0 and 1, of which layer 1 is finished.
struct SampleRun {
  TemporaryFolder folder;
  RunFolder run{folder / "run"};

  SampleRun() {
    std::filesystem::create_directories(run.path());
    Recipe recipe;
    recipe.window = 64;
    recipe.experts = 8;
    recipe.shared = 2;
    recipe.layers = {0, 1};
    write_json(run.recipe_file(), to_json(recipe));
    run.layers().put(LayerRecord{1, 0.3, 0.2, 0.1, 0.9, {0.15, 0.1}, {}, {}}, writing("weights"));
  }
};

}  // namespace ladimo::testing
