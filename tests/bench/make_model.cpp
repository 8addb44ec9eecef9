// Makes a LLaMA checkpoint of any shape. Measuring memory and time needs 7B shapes, which cannot be shipped.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "checkpoint/config.h"
#include "trained_weights.h"

using namespace ladimo;

namespace {

struct Options {
  testing::ModelShape shape{.hidden = 4096,
                            .layers = 32,
                            .heads = 32,
                            .kv_heads = 32,
                            .intermediate = 11008,
                            .vocab = 32000,
                            .positions = 4096,
                            .tied_head = false,
                            .dtype = DType::bf16};
  bool biases = false;
  std::filesystem::path tokenizer = LADIMO_DEMO;
  std::filesystem::path folder;
};

void add_options(CLI::App& app, Options& options) {
  testing::ModelShape& shape = options.shape;
  const std::map<std::string, DType> dtypes = {
      {"bf16", DType::bf16}, {"f16", DType::f16}, {"f32", DType::f32}};
  app.option_defaults()->always_capture_default();
  app.add_option("--layers", shape.layers)->check(CLI::PositiveNumber);
  app.add_option("--hidden", shape.hidden)->check(CLI::PositiveNumber);
  app.add_option("--ffn", shape.intermediate, "Neurons of a layer")->check(CLI::PositiveNumber);
  app.add_option("--heads", shape.heads)->check(CLI::PositiveNumber);
  app.add_option("--kv-heads", shape.kv_heads)->check(CLI::PositiveNumber);
  app.add_option("--vocab", shape.vocab)->check(CLI::PositiveNumber);
  app.add_option("--positions", shape.positions)->check(CLI::PositiveNumber);
  app.add_option("--dtype", shape.dtype)
      ->transform(CLI::Transformer(dtypes))
      ->option_text("bf16|f16|f32 = bf16");
  app.add_option("--seed", shape.seed);
  app.add_flag("--biases", options.biases, "Of attention and FFN");
  app.add_flag("--tied", shape.tied_head, "The embedding is the head");
  app.add_option("--tokenizer", options.tokenizer, "Folder with a tokenizer.model");
  app.add_option("-o,--output", options.folder)->required();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes a LLaMA checkpoint whose activations look trained.");
  Options options;
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  testing::ModelShape& shape = options.shape;
  shape.attention_bias = shape.mlp_bias = options.biases;
  try {
    std::vector<Problem> problems;
    parse_config(testing::config_json(shape), options.folder / "config.json", problems);
    if (!problems.empty()) throw Refusal(problems);
    const bench::TrainedWeights weights(shape);
    std::uint64_t bytes = 0;
    testing::write_model_folder(options.folder, shape, options.tokenizer / "tokenizer.model",
                                [&](const ExpectedTensor& tensor) {
                                  auto tensor_bytes = weights.bytes_of(tensor);
                                  bytes += tensor_bytes.size();
                                  return tensor_bytes;
                                });
    fmt::print("{}: {} layers, {} parameters, {} bytes of weights\n", options.folder.string(), shape.layers,
               bytes / dtype_size(shape.dtype), bytes);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
