// How a long command is asked to stop: Ctrl+C, SIGTERM, or end-of-file on stdin when its output is a stream
// of events.
#pragma once

#include <atomic>

namespace ladimo::cli {

/// Installs the signal handlers; the flag becomes true when the command should stop. A second signal ends at
/// once.
const std::atomic<bool>& stop_requested();

/// Also watches stdin: end-of-file (a lost connection looks like that) sets the flag.
void stop_at_end_of_stdin();

}  // namespace ladimo::cli
