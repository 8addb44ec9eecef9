// Writes GGUF files for tests, good ones and others.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "support/pico_model.h"

namespace ladimo::testing {

template <class Number>
std::string raw(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

inline std::string gguf_text(std::string_view text) {
  return raw(std::uint64_t{text.size()}) + std::string(text);
}

/// Collects what a GGUF file holds. Values are given as the file stores them, after their type.
struct GgufFile {
  std::uint32_t version = 3;
  std::vector<std::pair<std::string, std::string>> values;
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;  // row-major
    std::uint32_t type = 0;
    std::string bytes;
  };
  std::vector<Tensor> tensors;

  /// Adds a value, or replaces that of the key.
  void put(const std::string& key, std::uint32_t type, const std::string& bytes) {
    erase(key);
    values.emplace_back(key, raw(type) + bytes);
  }
  void whole(const std::string& key, std::uint32_t value) { put(key, 4, raw(value)); }
  void real(const std::string& key, float value) { put(key, 6, raw(value)); }
  void flag(const std::string& key, bool value) { put(key, 7, raw(std::uint8_t{value})); }
  void text(const std::string& key, std::string_view value) { put(key, 8, gguf_text(value)); }
  void texts(const std::string& key, const std::vector<std::string>& list) {
    std::string bytes = raw(8U) + raw(std::uint64_t{list.size()});
    for (const auto& entry : list) bytes += gguf_text(entry);
    put(key, 9, bytes);
  }
  template <class Number>
  void list(const std::string& key, std::uint32_t type, const std::vector<Number>& numbers) {
    std::string bytes = raw(type) + raw(std::uint64_t{numbers.size()});
    for (const Number number : numbers) bytes += raw(number);
    put(key, 9, bytes);
  }
  void erase(const std::string& key) {
    std::erase_if(values, [&](const auto& value) { return value.first == key; });
  }

  std::string bytes() const {
    std::string head =
        "GGUF" + raw(version) + raw(std::uint64_t{tensors.size()}) + raw(std::uint64_t{values.size()});
    for (const auto& [key, value] : values) head += gguf_text(key) + value;
    std::string data;
    for (const Tensor& tensor : tensors) {
      head += gguf_text(tensor.name) + raw(static_cast<std::uint32_t>(tensor.shape.size()));
      for (std::size_t i = tensor.shape.size(); i-- > 0;) head += raw(tensor.shape[i]);
      head += raw(tensor.type) + raw(std::uint64_t{data.size()});
      data += tensor.bytes;
      data.append((32 - data.size() % 32) % 32, '\0');
    }
    head.append((32 - head.size() % 32) % 32, '\0');
    return head + data;
  }
};

/// The pieces of a tokenizer.model: spelling, score and type, read from its protobuf message.
struct Pieces {
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;

  explicit Pieces(const std::string& message) {
    for_fields(message, [&](std::uint64_t field, std::string_view piece, std::uint64_t) {
      if (field != 1) return;
      float score = 0;
      std::int32_t type = 1;
      std::string token;
      for_fields(piece, [&](std::uint64_t part, std::string_view value, std::uint64_t number) {
        if (part == 1) token = value;
        if (part == 2) std::memcpy(&score, value.data(), sizeof score);
        if (part == 3) type = static_cast<std::int32_t>(number);
      });
      tokens.push_back(token);
      scores.push_back(score);
      types.push_back(type);
    });
  }

 private:
  template <class Take>
  static void for_fields(std::string_view message, Take take) {
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (unsigned shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(message[at++]);
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) return value;
      }
    };
    while (at < message.size()) {
      const std::uint64_t tag = varint();
      const std::uint64_t number = tag % 8 == 0 || tag % 8 == 2 ? varint() : 0;
      const std::size_t length = tag % 8 == 2 ? number : tag % 8 == 5 ? 4 : 0;
      take(tag / 8, message.substr(at, length), number);
      at += length;
    }
  }
};

/// Adds the pieces of a tokenizer.model as a tokenizer of the kind `llama`.
inline void add_pieces(GgufFile& gguf, const std::filesystem::path& tokenizer) {
  const Pieces pieces(read_file(tokenizer));
  gguf.text("tokenizer.ggml.model", "llama");
  gguf.texts("tokenizer.ggml.tokens", pieces.tokens);
  gguf.list("tokenizer.ggml.scores", 6, pieces.scores);
  gguf.list("tokenizer.ggml.token_type", 5, pieces.types);
  gguf.whole("tokenizer.ggml.bos_token_id", 1);
  gguf.whole("tokenizer.ggml.eos_token_id", 2);
}

/// The name in GGUF of a tensor of a LLaMA model in the Hugging Face layout.
inline std::string gguf_name(std::string name) {
  static const std::vector<std::pair<std::string, std::string>> parts = {
      {"model.embed_tokens", "token_embd"},
      {"model.norm", "output_norm"},
      {"lm_head", "output"},
      {"model.layers.", "blk."},
      {"input_layernorm", "attn_norm"},
      {"post_attention_layernorm", "ffn_norm"},
      {"self_attn.q_proj", "attn_q"},
      {"self_attn.k_proj", "attn_k"},
      {"self_attn.v_proj", "attn_v"},
      {"self_attn.o_proj", "attn_output"},
      {"mlp.gate_proj", "ffn_gate"},
      {"mlp.up_proj", "ffn_up"},
      {"mlp.down_proj", "ffn_down"}};
  for (const auto& [from, to] : parts)
    if (const auto at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

/// Rows in GGUF's order: those of the first and second half of each head by turns.
inline std::string interleaved(const std::string& bytes, std::int64_t rows, std::int64_t heads) {
  const auto size = bytes.size() / static_cast<std::size_t>(rows);
  const std::int64_t height = rows / heads;
  std::string result;
  for (std::int64_t head = 0; head < heads; ++head)
    for (std::int64_t i = 0; i < height / 2; ++i)
      for (const std::int64_t half : {0, 1})
        result += bytes.substr(static_cast<std::size_t>(head * height + half * height / 2 + i) * size, size);
  return result;
}

/// Numbers as Q8_0 with a scale of 2^-6.
inline std::string as_q8_0(const std::vector<float>& values) {
  std::string bytes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 32 == 0) bytes += raw(std::uint16_t{0x2400});
    bytes += static_cast<char>(std::lround(std::clamp(values[i] * 64, -127.0F, 127.0F)));
  }
  return bytes;
}

inline std::vector<float> floats_of(const TensorView& view) {
  std::vector<float> values(view.elements());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::byte* at = view.bytes.data() + i * dtype_size(view.dtype);
    std::uint32_t word = 0;
    std::memcpy(&word, at, dtype_size(view.dtype));
    _Float16 half = 0;
    if (view.dtype == DType::f16) std::memcpy(&half, at, sizeof half);
    values[i] = view.dtype == DType::f16    ? static_cast<float>(half)
                : view.dtype == DType::bf16 ? std::bit_cast<float>(word << 16)
                                            : std::bit_cast<float>(word);
  }
  return values;
}

/// The model of a folder that write_pico_model() made, as llama.cpp's converter writes it: vectors in F32,
/// matrices as they are, or with `quantise` as Q8_0 where their rows are whole blocks.
inline GgufFile gguf_of(const std::filesystem::path& folder, bool quantise = false) {
  const auto config = read_json(folder / "config.json");
  const auto size = [&](const char* key) { return config.at(key).get<std::uint32_t>(); };
  GgufFile gguf;
  gguf.text("general.architecture", "llama");
  gguf.text("general.name", "pico");
  gguf.whole("llama.block_count", size("num_hidden_layers"));
  gguf.whole("llama.context_length", size("max_position_embeddings"));
  gguf.whole("llama.embedding_length", size("hidden_size"));
  gguf.whole("llama.feed_forward_length", size("intermediate_size"));
  gguf.whole("llama.attention.head_count", size("num_attention_heads"));
  gguf.whole("llama.attention.head_count_kv", size("num_key_value_heads"));
  gguf.real("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  gguf.real("llama.rope.freq_base", 10000);
  add_pieces(gguf, folder / "tokenizer.model");
  const auto store = TensorStore::open(folder);
  for (const auto& [name, view] : store.tensors()) {
    GgufFile::Tensor tensor{gguf_name(name), {view.shape.begin(), view.shape.end()}, 0, {}};
    const auto values = floats_of(view);
    if (view.shape.size() == 1) {
      for (const float value : values) tensor.bytes += raw(value);
    } else if (quantise && view.shape.back() % 32 == 0) {
      tensor.type = 8;
      tensor.bytes = as_q8_0(values);
    } else {
      tensor.type = view.dtype == DType::f32 ? 0 : view.dtype == DType::f16 ? 1 : 30;
      tensor.bytes.assign(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    }
    const bool q = name.find("q_proj") != std::string::npos, k = name.find("k_proj") != std::string::npos;
    if (q || k)
      tensor.bytes = interleaved(tensor.bytes, view.shape.front(),
                                 size(q ? "num_attention_heads" : "num_key_value_heads"));
    gguf.tensors.push_back(std::move(tensor));
  }
  return gguf;
}

}  // namespace ladimo::testing
