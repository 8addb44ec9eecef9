// Claims on layers: which process works on which layer of a run.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "run/layer_store.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

// Times are compared between processes, and between machines that share a disk.
using Clock = std::chrono::system_clock;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count();
}

/// A lock that is held while a claim is read and changed.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) {
    fs::create_directories(folder);
    descriptor_ = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    const bool locked = descriptor_ >= 0 && ::flock(descriptor_, LOCK_EX) == 0;
    if (!locked && descriptor_ >= 0) ::close(descriptor_);
    if (!locked)
      throw Error("The claims on this run's layers cannot be locked.",
                  "Check the disk that contains the run.", folder);
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

struct ClaimFile {
  std::string owner;
  std::int64_t expires_ms = 0;
};

/// Reads a claim. Returns nothing when there is none or when it cannot be read.
std::optional<ClaimFile> read_claim(const fs::path& file) {
  if (!fs::exists(file)) return {};
  const auto json = nlohmann::json::parse(read_file(file), nullptr, false);
  const auto owner = json.find("owner"), expires = json.find("expires_ms");
  if (owner == json.end() || !owner->is_string() || expires == json.end() || !expires->is_number_integer())
    return {};
  return ClaimFile{*owner, *expires};
}

void write_claim(const fs::path& file, const ClaimFile& claim) {
  write_json(file, {{"owner", claim.owner}, {"expires_ms", claim.expires_ms}});
}

std::string new_owner() {
  std::random_device source;
  return fmt::format("{}-{:08x}{:08x}", ::getpid(), source(), source());
}

}  // namespace

struct LayerStore::Claim::Heart {
  fs::path folder, file;
  std::string owner;
  std::chrono::milliseconds lifetime;
  std::mutex mutex;
  std::condition_variable stop;
  bool stopping = false;
  std::thread thread;

  bool is_ours() const {
    const auto claim = read_claim(file);
    return claim && claim->owner == owner;
  }
  void beat() {
    const FolderLock lock(folder);
    if (is_ours()) write_claim(file, {owner, now_ms() + lifetime.count()});
  }
  void run() {
    std::unique_lock lock(mutex);
    while (!stop.wait_for(lock, lifetime / 3, [&] { return stopping; })) {
      try {
        beat();
      } catch (const std::exception&) {  // the disk may be full for a while; the next beat may succeed
      }
    }
  }
};

LayerStore::Claim::Claim(std::unique_ptr<Heart> heart) : heart_(std::move(heart)) {}
LayerStore::Claim::Claim(Claim&&) noexcept = default;

LayerStore::Claim::~Claim() {
  if (!heart_) return;
  {
    const std::lock_guard lock(heart_->mutex);
    heart_->stopping = true;
  }
  heart_->stop.notify_all();
  heart_->thread.join();
  try {
    const FolderLock lock(heart_->folder);
    if (heart_->is_ours()) fs::remove(heart_->file);
  } catch (const std::exception&) {  // the claim expires by itself
  }
}

std::optional<LayerStore::Claim> LayerStore::claim(int layer, std::chrono::milliseconds lifetime) const {
  auto heart = std::make_unique<Claim::Heart>();
  heart->folder = run_ / ".claims";
  heart->file = heart->folder / fmt::format("{:03}.json", layer);
  heart->owner = new_owner();
  heart->lifetime = lifetime;
  {
    const FolderLock lock(heart->folder);
    const auto held = read_claim(heart->file);
    if (held && held->expires_ms > now_ms()) return {};
    write_claim(heart->file, {heart->owner, now_ms() + lifetime.count()});
  }
  heart->thread = std::thread([&heart = *heart] { heart.run(); });
  return Claim(std::move(heart));
}

}  // namespace ladimo
