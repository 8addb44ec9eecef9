#include "checkpoint/tensor_names.h"

#include <iterator>

#include <fmt/format.h>

namespace ladimo {
namespace {

enum class Dim { none, vocab, hidden, intermediate, query, key_value, head };
enum class When { always, separate_head, qkv_bias, o_bias, qk_norm, mlp_bias };

struct Row {
  Role role;
  const char* pattern;  // {} is the layer
  bool per_layer;
  Dim rows, columns;
  When when;
};

// In file order: tensors before the layers, in the layers, and after them.
constexpr Row table[] = {
    {Role::embedding, "model.embed_tokens.weight", false, Dim::vocab, Dim::hidden, When::always},
    {Role::attention_norm, "model.layers.{}.input_layernorm.weight", true, Dim::hidden, Dim::none,
     When::always},
    {Role::q, "model.layers.{}.self_attn.q_proj.weight", true, Dim::query, Dim::hidden, When::always},
    {Role::k, "model.layers.{}.self_attn.k_proj.weight", true, Dim::key_value, Dim::hidden, When::always},
    {Role::v, "model.layers.{}.self_attn.v_proj.weight", true, Dim::key_value, Dim::hidden, When::always},
    {Role::o, "model.layers.{}.self_attn.o_proj.weight", true, Dim::hidden, Dim::query, When::always},
    {Role::q_bias, "model.layers.{}.self_attn.q_proj.bias", true, Dim::query, Dim::none, When::qkv_bias},
    {Role::k_bias, "model.layers.{}.self_attn.k_proj.bias", true, Dim::key_value, Dim::none, When::qkv_bias},
    {Role::v_bias, "model.layers.{}.self_attn.v_proj.bias", true, Dim::key_value, Dim::none, When::qkv_bias},
    {Role::o_bias, "model.layers.{}.self_attn.o_proj.bias", true, Dim::hidden, Dim::none, When::o_bias},
    {Role::q_norm, "model.layers.{}.self_attn.q_norm.weight", true, Dim::head, Dim::none, When::qk_norm},
    {Role::k_norm, "model.layers.{}.self_attn.k_norm.weight", true, Dim::head, Dim::none, When::qk_norm},
    {Role::ffn_norm, "model.layers.{}.post_attention_layernorm.weight", true, Dim::hidden, Dim::none,
     When::always},
    {Role::gate, "model.layers.{}.mlp.gate_proj.weight", true, Dim::intermediate, Dim::hidden, When::always},
    {Role::up, "model.layers.{}.mlp.up_proj.weight", true, Dim::intermediate, Dim::hidden, When::always},
    {Role::down, "model.layers.{}.mlp.down_proj.weight", true, Dim::hidden, Dim::intermediate, When::always},
    {Role::gate_bias, "model.layers.{}.mlp.gate_proj.bias", true, Dim::intermediate, Dim::none,
     When::mlp_bias},
    {Role::up_bias, "model.layers.{}.mlp.up_proj.bias", true, Dim::intermediate, Dim::none, When::mlp_bias},
    {Role::down_bias, "model.layers.{}.mlp.down_proj.bias", true, Dim::hidden, Dim::none, When::mlp_bias},
    {Role::final_norm, "model.norm.weight", false, Dim::hidden, Dim::none, When::always},
    {Role::head, "lm_head.weight", false, Dim::vocab, Dim::hidden, When::separate_head},
};

const Row& row_of(Role role) {
  for (const Row& row : table)
    if (row.role == role) return row;
  return table[0];  // unreachable: the table has every role
}

bool applies(const Row& row, const ModelConfig& config) {
  switch (row.when) {
    case When::always:
      return true;
    case When::separate_head:
      return !config.tied_head;
    case When::qkv_bias:
      return config.qkv_bias;
    case When::o_bias:
      return config.o_bias;
    case When::qk_norm:
      return config.qk_norm;
    case When::mlp_bias:
      return config.mlp_bias;
  }
  return true;
}

std::int64_t size_of(Dim dim, const ModelConfig& config) {
  switch (dim) {
    case Dim::none:
      return 1;
    case Dim::vocab:
      return config.vocab_size;
    case Dim::hidden:
      return config.hidden_size;
    case Dim::intermediate:
      return config.intermediate_size;
    case Dim::query:
      return config.heads * config.head_dim;
    case Dim::key_value:
      return config.kv_heads * config.head_dim;
    case Dim::head:
      return config.head_dim;
  }
  return 1;
}

std::string name_of(const Row& row, std::int64_t layer) {
  return row.per_layer ? fmt::format(fmt::runtime(row.pattern), layer) : row.pattern;
}

std::vector<std::int64_t> shape_of(const Row& row, const ModelConfig& config) {
  std::vector<std::int64_t> shape{size_of(row.rows, config)};
  if (row.columns != Dim::none) shape.push_back(size_of(row.columns, config));
  return shape;
}

}  // namespace

std::string tensor_name(Role role, std::int64_t layer) { return name_of(row_of(role), layer); }

std::vector<std::int64_t> tensor_shape(Role role, const ModelConfig& config) {
  return shape_of(row_of(role), config);
}

bool is_ffn(Role role) {
  switch (role) {
    case Role::gate:
    case Role::up:
    case Role::down:
    case Role::gate_bias:
    case Role::up_bias:
    case Role::down_bias:
      return true;
    default:
      return false;
  }
}

bool has_role(Role role, const ModelConfig& config) { return applies(row_of(role), config); }

std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config) {
  std::vector<ExpectedTensor> expected;
  const auto add = [&](const Row& row, std::int64_t layer) {
    if (applies(row, config))
      expected.push_back({row.role, layer, name_of(row, layer), shape_of(row, config)});
  };
  const Row* const end = std::end(table);
  const Row* row = table;
  for (; !row->per_layer; ++row) add(*row, 0);
  const Row* const first = row;
  while (row != end && row->per_layer) ++row;
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    for (const Row* of_layer = first; of_layer != row; ++of_layer) add(*of_layer, layer);
  for (; row != end; ++row) add(*row, 0);
  return expected;
}

bool is_harmless_extra(const std::string& name, const ModelConfig& config) {
  // Some exporters store the rotary frequencies, which follow from the config, and a tied head twice.
  return name.ends_with("rotary_emb.inv_freq") || (config.tied_head && name == tensor_name(Role::head));
}

}  // namespace ladimo
