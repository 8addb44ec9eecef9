#include "base/files.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/hash.h"
#include "base/json_text.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

// The number of bytes in an environment variable with which tests simulate a disk; absent when it is not set.
std::optional<std::uint64_t> simulated_bytes(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

// The bytes that write_at() has written in this process. A simulated disk fills up with them.
std::atomic<std::uint64_t> written_bytes = 0;

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : "."; }

[[noreturn]] void fail_to_write(const fs::path& path, int code) {
  const bool full = code == ENOSPC || code == EDQUOT;
  throw Error(
      full ? fmt::format("The disk is full: {} could not be written.", path.filename().string())
           : fmt::format("{} could not be written: {}.", path.filename().string(), std::strerror(code)),
      full ? "Free some space and try again: what was finished is kept."
           : "Check that the folder exists and that you may write to it.",
      path);
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);  // some file systems refuse this for folders; the rename has happened all the same
  ::close(descriptor);
}

template <class Take>
void read_blocks(const fs::path& path, Take take) {
  if (const auto problem = file_problem(path)) throw Refusal(*problem);
  std::ifstream in(path, std::ios::binary);
  std::vector<char> block(1 << 20);
  while (in.read(block.data(), static_cast<std::streamsize>(block.size())), in.gcount() > 0)
    take(std::string_view(block.data(), static_cast<std::size_t>(in.gcount())));
  if (in.is_open() && !in.bad()) return;
  throw Refusal(fmt::format("{} cannot be read.", path.filename().string()), "Check the disk.", path);
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::string bytes;
  read_blocks(path, [&](std::string_view block) { bytes += block; });
  return bytes;
}

std::string hash_of_file(const fs::path& path) {
  Hasher hasher;
  read_blocks(path, [&](std::string_view block) { hasher.add(block); });
  return hasher.hex();
}

nlohmann::json read_json(const fs::path& path) {
  const std::string text = read_file(path);
  if (const auto stand_in = stand_in_problem(path, text)) throw Refusal(*stand_in);
  return parse_json(text, path.filename().string(), path);
}

void write_file(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

void write_json(const fs::path& path, const nlohmann::json& json) { write_file(path, json.dump(2) + "\n"); }

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)),
      temporary_(folder_of(path_) / fmt::format(".{}.tmp-{}", path_.filename().string(), ::getpid())),
      descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) fail_to_write(path_, errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t bytes) {
  if (const int code = write_at(descriptor_, size_, data, bytes); code != 0) fail_to_write(path_, code);
  size_ += bytes;
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail_to_write(path_, errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) fail_to_write(path_, errno);
  temporary_.clear();
  sync_folder(folder_of(path_));
}

int write_at(int descriptor, std::uint64_t offset, const void* data, std::size_t bytes) {
  const auto limit = simulated_bytes("LADIMO_DISK_FULL_AFTER_BYTES");
  if (limit && written_bytes + bytes > *limit) return ENOSPC;
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t done = ::pwrite(descriptor, from, bytes, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    from += done;
    offset += static_cast<std::uint64_t>(done);
    bytes -= static_cast<std::size_t>(done);
    written_bytes += static_cast<std::uint64_t>(done);
  }
  return 0;
}

std::uint64_t free_disk_bytes(const fs::path& path) {
  if (const auto simulated = simulated_bytes("LADIMO_DISK_FREE_BYTES")) return *simulated;
  fs::path folder = normal_path(path);
  std::error_code code;
  while (!fs::exists(folder, code) && folder.has_relative_path()) folder = folder.parent_path();
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0)
    throw Error(fmt::format("The free space of the disk cannot be read: {}.", std::strerror(errno)),
                "Choose another folder.", folder);
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

std::uint64_t available_ram_bytes() {
  std::ifstream in("/proc/meminfo");
  std::string key, unit;
  for (std::uint64_t kib = 0; in >> key >> kib; std::getline(in, unit))
    if (key == "MemAvailable:") return kib * 1024;
  throw Error("The system does not tell how much memory is available.", "Check /proc/meminfo.");
}

fs::path normal_path(const fs::path& path) {
  const fs::path normal = fs::weakly_canonical(fs::absolute(path));
  return normal.has_filename() || !normal.has_relative_path() ? normal : normal.parent_path();
}

}  // namespace ladimo
