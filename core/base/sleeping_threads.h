// Environment in which OpenMP's threads soon sleep when they have nothing to do.
#pragma once

#include <array>

namespace ladimo {

/// OpenMP threads that spin while they wait make everything ten times slower as soon as another program wants
/// the processor. Threads that sleep at once lose a third of the time of work in small pieces (the finish of
/// the demo: 300 against 400 of 1000 parts in 40 s, 2 cores). libgomp reads how long they spin, in rounds,
/// from the second variable; other OpenMP libraries know the first. Both must be there when a program starts.
inline constexpr std::array<const char*, 2> sleeping_threads = {"OMP_WAIT_POLICY=passive",
                                                                "GOMP_SPINCOUNT=5000"};

}  // namespace ladimo
