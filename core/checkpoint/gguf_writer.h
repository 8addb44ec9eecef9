// Writes GGUF files: version 3, little-endian, tensors at multiples of 32 bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/gguf_metadata.h"
#include "checkpoint/gguf_precision.h"

namespace ladimo {

/// The metadata of a file, in the order in which it was added. The name of a member is the type in the file,
/// which llama.cpp compares with the one that it expects. Every member throws Error for a key that is there
/// already.
class GgufKeys {
 public:
  void u16(std::string_view key, std::uint16_t value);
  void u32(std::string_view key, std::uint32_t value);
  void i32(std::string_view key, std::int32_t value);
  void f32(std::string_view key, float value);
  void flag(std::string_view key, bool value);
  void text(std::string_view key, std::string_view value);
  void texts(std::string_view key, std::span<const std::string> list);
  void u32s(std::string_view key, std::span<const std::uint32_t> list);
  void i32s(std::string_view key, std::span<const std::int32_t> list);
  void f32s(std::string_view key, std::span<const float> list);
  /// A value of another file: whole numbers as u32 or i32 where they fit, else as u64 or i64; lists as they
  /// are.
  void copy(std::string_view key, const GgufValue& value);

  bool has(std::string_view key) const;
  std::size_t size() const { return keys_.size(); }
  /// All keys and values as they are in a file.
  const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::string_view key, GgufType type);

  std::vector<std::string> keys_;
  std::string bytes_;
};

/// A tensor to be written.
struct GgufTensorSpec {
  std::string name;
  GgufPrecision precision = GgufPrecision::f32;
  std::vector<std::int64_t> shape;  // row-major, as in torch: [out, in], [experts, out, in]; 1 to 4 sizes
  std::uint64_t elements() const;
  std::uint64_t bytes() const;
};

/// Writes one GGUF file, or a split one, under temporary names. Declare all tensors, write each of them once
/// in that order, then call finish(). Nothing is left behind when the writer ends without finish(), or when
/// finish() throws.
class GgufWriter {
 public:
  /// `path` is the file: "NAME.gguf". Where the tensors take more than `max_file_bytes` (above 0), the files
  /// are NAME-00001-of-00003.gguf and so on beside it: each holds as many of the next tensors as fit, at
  /// least one, and the first holds `keys`. Throws Error when a file cannot be written, when rows do not fit
  /// the precision of a tensor, and for a name that is there twice.
  GgufWriter(std::filesystem::path path, const GgufKeys& keys, std::vector<GgufTensorSpec> specs,
             std::uint64_t max_file_bytes = std::uint64_t{1} << 50);
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  /// Writes the next declared tensor, row-major, rounded to its precision part by part. Throws Error when
  /// name or number of elements differ from its spec, and when the disk is full. Throws Refusal that names
  /// the tensor for a value that its precision cannot hold.
  void write(const std::string& name, std::span<const float> values);
  /// Completes the files (fsync) and gives them their final names. Throws Error when a declared tensor was
  /// not written.
  void finish();

  /// The final names of the files, in order.
  const std::vector<std::filesystem::path>& files() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A tensor and where its values come from: row-major fp32, asked for when the tensor is written and freed
/// afterwards.
struct GgufTensor {
  GgufTensorSpec spec;
  std::function<std::vector<float>()> values;
};

/// Writes `tensors` one at a time, in their order, and calls `before` before each one (it may throw to stop).
/// Returns the files. Throws as GgufWriter does.
std::vector<std::filesystem::path> write_gguf(const std::filesystem::path& path, const GgufKeys& keys,
                                              const std::vector<GgufTensor>& tensors,
                                              std::uint64_t max_file_bytes,
                                              const std::function<void(const GgufTensorSpec&)>& before);

}  // namespace ladimo
