#include "commands/runtime.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/pico_model.h"
#include "support/refusals.h"
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

TEST_CASE("weights are held as q8_0 when asked, and only on the CPU") {
  CHECK((parse_holding("", at::kCPU) == Holding::as_stored));
  CHECK((parse_holding("", at::Device("cuda:0")) == Holding::as_stored));
  CHECK((parse_holding("q8_0", at::kCPU) == Holding::q8_0));
  check_refused("only on the CPU", [] { parse_holding("q8_0", at::Device("cuda:0")); });
  check_refused("cannot be held as \"q8\"", [] { parse_holding("q8", at::kCPU); });
}
