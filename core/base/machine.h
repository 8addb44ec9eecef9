// The machine and the time that a measurement is labelled with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ladimo {

/// The processor as the system names it.
std::string processor_name();
/// All of its memory, in bytes; 0 where the system does not say.
std::uint64_t memory_bytes();
/// The time now in UTC, ISO 8601 to the second: "2025-01-31T12:00:00Z".
std::string now_iso();

/// What other programs use of all processors while this object exists. The host of a virtual machine counts
/// as one of them.
class OtherLoad {
 public:
  OtherLoad();
  /// From 0 to 1, since the object was made. Absent where the system does not say (/proc/stat is missing).
  std::optional<double> share() const;

 private:
  struct Ticks {
    double all = 0, busy = 0, ours = 0;
  };
  static std::optional<Ticks> now();
  std::optional<Ticks> begin_;
};

}  // namespace ladimo
