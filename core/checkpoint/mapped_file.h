// A file that is read where it lies, by mapping it into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace ladimo {

/// One file, mapped read-only for as long as the object lives.
class MappedFile {
 public:
  /// Throws Refusal when there is no such file or it cannot be read.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Tells the system that mapped bytes are not needed soon: they no longer count as memory of this process,
/// and are read again from the file when they are used.
void release_pages(std::span<const std::byte> mapped);

}  // namespace ladimo
