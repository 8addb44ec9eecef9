// Turns documents into token windows: calibration and held-out tokens that never overlap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace ladimo {

/// Windows of tokens of equal length. Each begins with BOS where the tokenizer has one. A BOS that a document
/// has itself, as conversations do, stays inside a window; where it would be the first token of one, it is
/// the window's own, so none begins with two.
struct Windows {
  std::int64_t window = 0;           // tokens per window, BOS included
  std::vector<std::int32_t> tokens;  // [count, window], row-major
  std::vector<std::int32_t> source;  // [count] index of the file each window came from

  std::int64_t count() const { return window > 0 ? static_cast<std::int64_t>(tokens.size()) / window : 0; }
  std::span<const std::int32_t> row(std::int64_t i) const {
    return {tokens.data() + i * window, static_cast<std::size_t>(window)};
  }
};

/// The windows that `index` names, in its order.
Windows picked_windows(const Windows& windows, std::span<const std::int64_t> index);
/// `count` of the windows, evenly spread, or all of them when there are no more.
Windows some_windows(const Windows& windows, std::int64_t count);

/// Reads the documents of a file. JSON lines have one per line: a text under the key `text`, or a
/// conversation under `messages` (or `conversations`), which `chat` renders. In plain text a document ends at
/// a blank line (white space only). Throws Refusal when the file is missing, empty or not UTF-8, when a line
/// has neither (the message names its number), or when it holds conversations and `chat` is null or cannot
/// render them.
std::vector<std::string> read_documents(const std::filesystem::path& file,
                                        const ChatTemplate* chat = nullptr);

/// The documents at the beginning of a file. The line that its first `bytes` bytes end in is read to its end.
struct Beginning {
  std::vector<std::string> documents;
  double share = 1;  // share of the file's bytes that was read; below 1 the last document may be cut
  bool conversations = false;  // some documents were made from conversations
};
/// Reads the first `bytes` bytes of a file and the rest of the line that they end in. Throws Refusal like
/// read_documents() for these lines.
Beginning read_beginning(const std::filesystem::path& file, std::size_t bytes,
                         const ChatTemplate* chat = nullptr);

/// How many tokens are wanted of each split, over all files together.
struct SplitSize {
  std::int64_t calibration = 0;
  std::int64_t tables = 0;    // held-out: profile, sensitivity, frontier
  std::int64_t checking = 0;  // held-out: predictions are checked here
};

struct Split {
  Windows calibration;
  Windows tables;
  Windows checking;
};

/// Cuts `files` into three splits that share no text. Documents longer than four windows are cut at line ends
/// into pieces of at least four windows, pieces are shuffled by `seed`, and every file gives the same number
/// of windows to each split (token counts are rounded down to whole windows per file). Tails are dropped.
/// Calibration and held-out text share no piece. Held-out pieces are cut once more, to at least one window,
/// and dealt to `tables` and `checking` in turn, so parts of one document may be in both. Throws Refusal when
/// a file has too few tokens; the message says how many there are and how many are needed.
Split split_corpus(const std::vector<std::filesystem::path>& files, const Tokenizer& tokenizer,
                   std::int64_t window, const SplitSize& size, std::uint64_t seed);

/// A text to measure on.
struct MeasuredText {
  Windows windows;
  /// Per file, the documents that its windows hold. The last is cut where they end.
  std::vector<std::vector<std::string>> documents;
};

/// Cuts text for measuring: documents in file order, the same number of windows from every file. With
/// `tokens` 0 that number is as many as the smallest file allows. Throws Refusal when a file has too few
/// tokens.
MeasuredText measured_text(const std::vector<std::filesystem::path>& files, const Tokenizer& tokenizer,
                           std::int64_t window, std::int64_t tokens);

/// The window that is used when none is asked for: min(max_positions, 2048).
std::int64_t default_window(std::int64_t max_positions);

}  // namespace ladimo
