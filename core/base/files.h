// Files that are either whole or absent: temporary name, fsync, rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// Reads a whole file. Throws Refusal when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// The hash of a file's bytes (base/hash.h), which need not fit into memory. Throws Refusal when it cannot be
/// read.
std::string hash_of_file(const std::filesystem::path& path);

/// Reads a JSON file. Throws Refusal with the byte offset when it does not parse.
nlohmann::json read_json(const std::filesystem::path& path);

/// Replaces `path` by `bytes` atomically (temporary name in the same folder, fsync, rename, fsync of the
/// folder). Throws Error (disk full, no permission) and then leaves the old file untouched and no temporary
/// file behind.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Writes `json` as write_file does, indented by two spaces, with a newline at the end.
void write_json(const std::filesystem::path& path, const nlohmann::json& json);

/// A file that is written under a temporary name beside `path`, and removed unless it is committed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends `bytes` bytes. Throws Error when the disk is full.
  void write(const void* data, std::size_t bytes);
  /// Gives the file its final name: fsync, rename, fsync of the folder. Throws Error when that fails.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Writes all of `data` at `offset` of an open file. Returns 0, or the errno of what failed. The environment
/// variable LADIMO_DISK_FULL_AFTER_BYTES, when set, simulates a full disk once this process has written that
/// many bytes (for tests). Thread-safe.
int write_at(int descriptor, std::uint64_t offset, const void* data, std::size_t bytes);

/// Bytes that may still be written on the file system that holds `path` (its nearest existing ancestor). The
/// environment variable LADIMO_DISK_FREE_BYTES, when set, replaces the answer (for tests).
std::uint64_t free_disk_bytes(const std::filesystem::path& path);

/// Bytes of memory available now. Throws Error when the system does not report it.
std::uint64_t available_ram_bytes();

/// `path` made absolute with `.`, `..` and symbolic links resolved where it exists.
std::filesystem::path normal_path(const std::filesystem::path& path);

}  // namespace ladimo
