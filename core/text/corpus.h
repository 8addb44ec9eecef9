// Documents to token windows: calibration and held-out tokens that never overlap.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace ladimo {

/// Equal windows of tokens, each beginning with BOS.
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
/// `count` of the windows, evenly spread; all where there are no more.
Windows some_windows(const Windows& windows, std::int64_t count);

/// The documents of a file: JSONL (name ends in .jsonl) takes the key `text` of every line; plain text ends a
/// document at a blank line (white space only). Throws Refusal: missing, empty, not UTF-8, a JSONL line
/// without `text` (its number is named).
std::vector<std::string> read_documents(const std::filesystem::path& file);

/// The documents at the beginning of a file: those in the whole lines among its first `bytes`, at least in
/// one line.
struct Beginning {
  std::vector<std::string> documents;
  double share = 1;  // of the file's bytes; the last document may be cut where it is less than 1
};
/// Throws the refusals of read_documents for the lines that it reads.
Beginning read_beginning(const std::filesystem::path& file, std::size_t bytes);

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

/// Cuts `files` into three splits that share no text. Documents longer than four windows are cut at line
/// ends into pieces of at least four windows, pieces are shuffled by `seed`, every file gives the same number
/// of windows to each split (token counts are rounded down to whole windows per file), tails are dropped.
/// Calibration and held-out text share no piece. Held-out pieces are cut once more, to at least one window,
/// and dealt to `tables` and `checking` in turn: parts of one document may be in both.
/// Throws Refusal when a file has too few tokens; it names how many there are and how many are needed.
Split split_corpus(const std::vector<std::filesystem::path>& files, const Tokenizer& tokenizer,
                   std::int64_t window, const SplitSize& size, std::uint64_t seed);

/// Windows for measuring: documents in file order, the same number of windows from every file. `tokens` 0
/// takes as many as the smallest file allows; more than there are is refused as in split_corpus.
Windows evaluation_windows(const std::vector<std::filesystem::path>& files, const Tokenizer& tokenizer,
                           std::int64_t window, std::int64_t tokens);

/// The window that is used when none is asked for: min(max_positions, 2048).
std::int64_t default_window(std::int64_t max_positions);

}  // namespace ladimo
