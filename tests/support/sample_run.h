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
    std::filesystem::create_directories(run.path());
    Recipe recipe;
    recipe.window = 64;
    recipe.experts = 8;
    recipe.shared = 2;
    recipe.layers = {0, 1};
    write_json(run.recipe_file(), to_json(recipe));
    LayerRecord record;
    record.layer = 1;
    record.loss_before = 0.3;
    record.loss_after = 0.1;
    record.held_out_losses = {0.15, 0.1};
    run.layers().put(record, [](const std::filesystem::path& file) { write_file(file, "weights"); });
  }
};

}  // namespace ladimo::testing
