// How fast this machine reads memory: the limit of decoding, measured in the run that it is compared with.
#pragma once

#include <cstddef>

#include "kernels/arena.h"
#include "kernels/team.h"

namespace ladimo {

class ReadProbe {
 public:
  explicit ReadProbe(std::size_t bytes);
  /// Reads all bytes once, with as many threads as libtorch has.
  void read();
  double bytes() const { return static_cast<double>(bytes_); }

 private:
  std::size_t bytes_;
  std::shared_ptr<std::byte> memory_;
  Team team_;
};

}  // namespace ladimo
