// Logits of a model of a MoE class, for the comparison with transformers and llama.cpp:
//
//   ladimo_exported_logits FORMAT PATH IDS OUT    fp32 logits [T, vocab] of every text, in one file
//
// PATH is a folder or a GGUF file that `ladimo export --format FORMAT` wrote. IDS holds a JSON list of ids a
// line, a line a text.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "checkpoint/gguf.h"
#include "transfer/moe_folder.h"
#include "transfer/moe_gguf.h"

using namespace ladimo;

namespace {

LayerwiseModel open(const std::string& format, const std::string& path) {
  const auto* target = std::ranges::find(moe_classes(), format, [](const auto& c) { return c.name; }).base();
  return is_gguf(path) ? read_moe_gguf(*target, path, at::kCPU) : read_moe_folder(*target, path, at::kCPU);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: ladimo_exported_logits FORMAT PATH IDS OUT\n";
    return 2;
  }
  try {
    const auto model = open(argv[1], argv[2]);
    std::ifstream texts(argv[3]);
    std::ofstream out(argv[4], std::ios::binary);
    for (std::string line; std::getline(texts, line);) {
      const auto ids = at::tensor(nlohmann::json::parse(line).get<std::vector<std::int64_t>>());
      const auto logits = logits_of(model, ids.unsqueeze(0), Context()).contiguous();
      out.write(static_cast<const char*>(logits.data_ptr()), static_cast<std::streamsize>(logits.nbytes()));
    }
    return out ? 0 : 1;
  } catch (const std::exception& failure) {
    std::cerr << problem_of(failure).message << '\n';
    return 1;
  }
}
