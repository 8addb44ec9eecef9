#include "base/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>

namespace ladimo {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

std::uint64_t memory_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

std::string now_iso() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

OtherLoad::OtherLoad() : begin_(now()) {}

std::optional<OtherLoad::Ticks> OtherLoad::now() {
  // The first line counts ticks of all processors: man 5 proc, /proc/stat.
  std::ifstream stat("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, waiting = 0, interrupts = 0, soft_interrupts = 0,
         stolen = 0;
  if (!(stat >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts >> stolen))
    return {};
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return {};
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  Ticks ticks;
  ticks.busy = user + nice + system + interrupts + soft_interrupts + stolen;
  ticks.all = ticks.busy + idle + waiting;
  ticks.ours =
      (seconds(used.ru_utime) + seconds(used.ru_stime)) * static_cast<double>(::sysconf(_SC_CLK_TCK));
  return ticks;
}

std::optional<double> OtherLoad::share() const {
  const auto end = now();
  if (!begin_ || !end || end->all <= begin_->all) return {};
  const double others = (end->busy - begin_->busy) - (end->ours - begin_->ours);
  return std::clamp(others / (end->all - begin_->all), 0.0, 1.0);
}

}  // namespace ladimo
