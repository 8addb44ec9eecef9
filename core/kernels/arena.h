// Memory for weights that decoding reads again and again.
#pragma once

#include <cstddef>
#include <memory>

namespace ladimo {

/// Hands out memory from blocks of huge pages, which a processor reads faster than pages of 4 KiB. A block is
/// freed when nothing in it is used any more.
class Arena {
 public:
  /// `bytes` of memory that are aligned to a cache line and all zero, with slack after them that kernels may
  /// read (kernels/kernel_table.h).
  std::shared_ptr<std::byte> allocate(std::size_t bytes);

 private:
  std::shared_ptr<std::byte> block_;
  std::size_t size_ = 0, used_ = 0;
};

}  // namespace ladimo
