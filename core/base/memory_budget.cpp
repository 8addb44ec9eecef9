#include "base/memory_budget.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace ladimo {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& folder) {
  throw Error(fmt::format("A scratch file {}: {}.", what, std::strerror(errno)),
              "Free some space there, or allow more memory ({memory}).", folder);
}

}  // namespace

MemoryBudget::MemoryBudget(std::uint64_t bytes, std::filesystem::path scratch)
    : left_(std::make_shared<std::atomic<std::uint64_t>>(bytes)), scratch_(std::move(scratch)) {}

std::shared_ptr<const void> MemoryBudget::take(std::uint64_t bytes) {
  auto left = left_->load();
  do {
    if (bytes > left) return nullptr;
  } while (!left_->compare_exchange_weak(left, left - bytes));
  return {static_cast<const void*>(this), [left = left_, bytes](const void*) { *left += bytes; }};
}

ScratchFile::ScratchFile(const std::filesystem::path& folder) : folder_(folder) {
  std::string name = (folder / ".stream-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) fail("cannot be made", folder);
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

void ScratchFile::write(std::uint64_t offset, const void* data, std::size_t bytes) {
  const auto* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const auto written = ::pwrite(descriptor_, next, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("cannot be written", folder_);
    next += written;
    offset += static_cast<std::uint64_t>(written);
    bytes -= static_cast<std::size_t>(written);
  }
}

void ScratchFile::read(std::uint64_t offset, void* data, std::size_t bytes) const {
  auto* next = static_cast<char*>(data);
  while (bytes > 0) {
    const auto count = ::pread(descriptor_, next, bytes, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot be read", folder_);
    next += count;
    offset += static_cast<std::uint64_t>(count);
    bytes -= static_cast<std::size_t>(count);
  }
}

}  // namespace ladimo
