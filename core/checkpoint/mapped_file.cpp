#include "checkpoint/mapped_file.h"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/path_problem.h"

namespace ladimo {

MappedFile::MappedFile(const std::filesystem::path& path) {
  if (const auto problem = file_problem(path)) throw Refusal(*problem);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    const int code = errno;
    if (descriptor >= 0) ::close(descriptor);
    throw Refusal(fmt::format("{} cannot be opened: {}.", path.filename().string(),
                              descriptor >= 0 ? "it is not a file" : std::strerror(code)),
                  "Check the name and the permissions.", path);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) data_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
  const int code = errno;
  ::close(descriptor);
  if (data_ == MAP_FAILED) {
    throw Error(fmt::format("{} cannot be mapped: {}.", path.filename().string(), std::strerror(code)),
                "Check the memory limits of this shell (ulimit -v).", path);
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void release_pages(std::span<const std::byte> mapped) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.data());
  const auto first = begin / page * page;
  // Pages at the ends may hold other tensors too. These are read from the file again when they are used.
  if (!mapped.empty())
    ::madvise(reinterpret_cast<void*>(first), begin + mapped.size() - first, MADV_DONTNEED);
}

}  // namespace ladimo
