#include "commands/runtime.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("weights are held as they are stored, whatever config.json says of them") {
  for (const DType stored : {DType::f32, DType::bf16})
    for (const char* said : {"float32", "bfloat16"}) {
      CAPTURE(said);
      const TemporaryFolder folder;
      ModelShape shape;
      shape.dtype = stored;
      write_pico_model(folder.path(), shape);
      nlohmann::json config = read_json(folder.path() / "config.json");
      config["torch_dtype"] = said;
      write_file(folder.path() / "config.json", config.dump());
      const auto held = holding_dtype(Checkpoint::open(folder.path()), Runtime{});
      CHECK((held == (stored == DType::f32 ? at::kFloat : at::kBFloat16)));
    }
}
