// How much memory may be used for data that could also be kept on disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>

namespace ladimo {

/// The budget of one command for residual streams, rows of a layer and layer inputs. Copies share the budget.
/// Thread-safe.
class MemoryBudget {
 public:
  /// A budget without a limit.
  MemoryBudget() = default;
  /// A budget of `bytes`. Data that does not fit goes to files in `scratch`, an existing folder.
  MemoryBudget(std::uint64_t bytes, std::filesystem::path scratch);

  /// Reserves `bytes` until the last copy of the result is gone. Returns null when the budget has no room.
  std::shared_ptr<const void> take(std::uint64_t bytes);
  const std::filesystem::path& scratch() const { return scratch_; }

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> left_ =
      std::make_shared<std::atomic<std::uint64_t>>(std::numeric_limits<std::uint64_t>::max());
  std::filesystem::path scratch_;
};

/// A file without a name, so it disappears with the process, even when that is killed.
class ScratchFile {
 public:
  /// Creates the file. Throws Error when `folder` cannot be written to.
  explicit ScratchFile(const std::filesystem::path& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// Writes `bytes` bytes at `offset`. Throws Error when the disk is full or fails.
  void write(std::uint64_t offset, const void* data, std::size_t bytes);
  /// Reads `bytes` bytes at `offset`. Precondition: they were written before. Throws Error when the disk
  /// fails.
  void read(std::uint64_t offset, void* data, std::size_t bytes) const;

 private:
  std::filesystem::path folder_;
  int descriptor_ = -1;
};

}  // namespace ladimo
