#include "transfer/standard_file.h"

#include <array>
#include <span>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "checkpoint/safetensors.h"
#include "model/weight_source.h"

namespace ladimo {
namespace {

constexpr std::array<std::pair<const char*, at::Tensor StandardMoe::*>, 9> fields{
    {{"router", &StandardMoe::router},
     {"selection_bias", &StandardMoe::selection_bias},
     {"gate", &StandardMoe::gate},
     {"up", &StandardMoe::up},
     {"down", &StandardMoe::down},
     {"shared_gate", &StandardMoe::shared_gate},
     {"shared_up", &StandardMoe::shared_up},
     {"shared_down", &StandardMoe::shared_down},
     {"shared_router", &StandardMoe::shared_router}}};

}  // namespace

void save_standard_moe(const std::filesystem::path& path, const StandardMoe& layer) {
  std::vector<TensorSpec> specs;
  std::vector<at::Tensor> tensors;
  for (const auto& [name, member] : fields) {
    if (!(layer.*member).defined()) continue;
    tensors.push_back((layer.*member).to(at::kCPU, at::kFloat).contiguous());
    specs.push_back({name, DType::f32, tensors.back().sizes().vec()});
  }
  const Gating& gating = layer.gating;
  SafetensorsWriter writer(path, specs,
                           {{"scores", std::to_string(static_cast<int>(gating.scores))},
                            {"normalised", gating.normalised ? "1" : "0"},
                            {"scale", fmt::format("{}", gating.scale)},
                            {"k", std::to_string(gating.k)}});
  for (std::size_t i = 0; i < specs.size(); ++i)
    writer.write(specs[i].name, {static_cast<const std::byte*>(tensors[i].data_ptr()), specs[i].bytes()});
  writer.finish();
}

StandardMoe load_standard_moe(const std::filesystem::path& path, at::Device device) {
  const auto store = TensorStore::open(path);
  StandardMoe layer;
  for (const auto& [name, member] : fields)
    if (store.contains(name)) layer.*member = to_tensor(store.at(name), device, at::kFloat);
  const auto& metadata = store.metadata();
  layer.gating = {static_cast<MixingScores>(std::stoi(metadata.at("scores"))),
                  metadata.at("normalised") == "1", std::stod(metadata.at("scale")),
                  std::stoll(metadata.at("k"))};
  return layer;
}

}  // namespace ladimo
