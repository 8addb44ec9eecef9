// How a long command is asked to stop: Ctrl+C, SIGTERM, or end-of-file on stdin when its output is a stream
// of events.
#pragma once

#include <atomic>

namespace ladimo::cli {

/// Installs the signal handlers. The flag becomes true when the command should stop; a second signal ends the
/// process at once.
const std::atomic<bool>& stop_requested();

/// Also sets the flag at end-of-file on stdin, which is what a lost connection looks like.
void stop_at_end_of_stdin();

}  // namespace ladimo::cli
