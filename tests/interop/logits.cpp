// Logits of token ids, for the comparison with other programs:
//
//   ladimo_logits MODEL IDS OUT          fp32 logits [T, vocab] of every text: in one pass, then token by
//   token ladimo_logits MODEL IDS --nll        mean nll of every text on stdout, a line each
//
// IDS holds a JSON list of ids a line, a line a text. A native model folder computes under its policy.

#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "decode/decoder.h"
#include "model/moe_layers.h"
#include "policy/policy_file.h"

using namespace ladimo;

namespace {

at::Tensor read_text(const std::string& line) {
  const auto ids = nlohmann::json::parse(line).get<std::vector<std::int64_t>>();
  return at::tensor(ids).unsqueeze(0);
}

at::Tensor token_by_token(const Decoder& decoder, const at::Tensor& ids) {
  KvCache cache = decoder.make_cache(1, ids.size(1));
  std::vector<at::Tensor> logits;
  for (std::int64_t t = 0; t < ids.size(1); ++t)
    logits.push_back(decoder.forward(ids.narrow(1, t, 1), &cache).logits[0]);
  return at::cat(logits);
}

double nll(const at::Tensor& logits, const at::Tensor& ids) {
  const at::Tensor log_p = logits.narrow(0, 0, logits.size(0) - 1).log_softmax(-1, at::kDouble);
  const at::Tensor targets = ids[0].narrow(0, 1, ids.size(1) - 1).unsqueeze(1);
  return -log_p.gather(1, targets).mean().item<double>();
}

void write(std::ofstream& file, const at::Tensor& logits) {
  const at::Tensor values = logits.contiguous();
  file.write(static_cast<const char*>(values.data_ptr()), static_cast<std::streamsize>(values.nbytes()));
}

Decoder open(const std::string& model) {
  const auto checkpoint = Checkpoint::open(model);
  const WeightSource weights(checkpoint, at::kCPU, at::kFloat);
  if (!checkpoint.native()) return Decoder(weights);
  const auto layers = checkpoint.config().layers;
  const auto policy = read_policy(checkpoint.path() / "policy.json", checkpoint.native()->fingerprint,
                                  static_cast<std::size_t>(layers));
  const MoeLayers moe{
      [&](int layer) {
        return std::make_shared<const MoeWeights>(load_moe_weights(checkpoint, layer, at::kCPU, at::kFloat));
      },
      {}};
  return Decoder(weights, policy_ffns(moe, policy.layers), policy.layers, layers);
}

void compute(const std::vector<std::string>& arguments) {
  const Decoder decoder = open(arguments[0]);
  std::ifstream texts(arguments[1]);
  const bool only_nll = arguments[2] == "--nll";
  std::ofstream out;
  if (!only_nll) out.open(arguments[2], std::ios::binary);
  for (std::string line; std::getline(texts, line);) {
    const at::Tensor ids = read_text(line);
    const at::Tensor logits = decoder.forward(ids).logits[0];
    if (only_nll) {
      std::cout << nll(logits, ids) << std::endl;
      continue;
    }
    write(out, logits);
    write(out, token_by_token(decoder, ids));
  }
}

}  // namespace

int main(int count, char** values) {
  if (count != 4) {
    std::cerr << "usage: ladimo_logits MODEL IDS OUT|--nll\n";
    return 2;
  }
  try {
    std::cout.precision(9);
    compute({values + 1, values + count});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
