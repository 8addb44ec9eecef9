// How much memory a work may fill with data that could lie on disk as well.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>

namespace ladimo {

/// Shared by everything that one command keeps: residual streams, rows of a layer, layer inputs. Thread-safe.
class MemoryBudget {
 public:
  /// As much memory as is asked for.
  MemoryBudget() = default;
  /// At most `bytes`; what finds no room goes to files in `scratch`, a folder that exists.
  MemoryBudget(std::uint64_t bytes, std::filesystem::path scratch);

  /// Room for `bytes` of memory, given back when the last copy is gone. Null where there is no such room.
  std::shared_ptr<const void> take(std::uint64_t bytes);
  const std::filesystem::path& scratch() const { return scratch_; }

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> left_ =
      std::make_shared<std::atomic<std::uint64_t>>(std::numeric_limits<std::uint64_t>::max());
  std::filesystem::path scratch_;
};

/// A file without a name in `folder`: it vanishes with the process, however that ends.
class ScratchFile {
 public:
  /// Throws Error when the folder cannot be written.
  explicit ScratchFile(const std::filesystem::path& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Throws Error when the disk is full or fails.
  void write(std::uint64_t offset, const void* data, std::size_t bytes);
  /// Precondition: these bytes were written. Throws Error when the disk fails.
  void read(std::uint64_t offset, void* data, std::size_t bytes) const;

 private:
  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace ladimo
