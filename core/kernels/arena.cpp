#include "kernels/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace ladimo {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t block_bytes = std::size_t{32} << 20;
constexpr std::size_t alignment = 64;
constexpr std::size_t slack = 256;

std::size_t rounded_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

// `size` bytes that begin at a huge page.
std::shared_ptr<std::byte> map_block(std::size_t size) {
  const std::size_t mapped = size + huge_page;
  void* const memory = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const std::shared_ptr<std::byte> whole(static_cast<std::byte*>(memory),
                                         [mapped](std::byte* begin) { ::munmap(begin, mapped); });
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  std::byte* const begin = whole.get() + (rounded_up(address, huge_page) - address);
  ::madvise(begin, size, MADV_HUGEPAGE);  // where there are none it fails, and nothing is lost
  return {whole, begin};
}

}  // namespace

std::shared_ptr<std::byte> Arena::allocate(std::size_t bytes) {
  const std::size_t needed = rounded_up(bytes + slack, alignment);
  if (block_ == nullptr || used_ + needed > size_) {
    size_ = rounded_up(std::max(needed, block_bytes), huge_page);
    block_ = map_block(size_);
    used_ = 0;
  }
  std::byte* const begin = block_.get() + used_;
  used_ += needed;
  return {block_, begin};
}

}  // namespace ladimo
