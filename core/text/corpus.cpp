#include "text/corpus.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/random.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t windows_per_piece = 4;  // least number of windows in a piece of a long document
constexpr std::int64_t most_tokens = 1'000'000'000'000'000;  // sums of them fit into 64 bits
constexpr std::int64_t very_long_line = 32;  // bytes of a line per token of a piece; most have 3 to 5

std::int64_t length(const std::vector<std::int32_t>& tokens) {
  return static_cast<std::int64_t>(tokens.size());
}

// The number of stream tokens in one window: all but the BOS.
std::int64_t payload(const Tokenizer& tokenizer, std::int64_t window) {
  return window - (tokenizer.bos() < 0 ? 0 : 1);
}

// Appends a document and a newline. This is the only place that decides how documents follow each other
// inside a window. Windows of `window` tokens are cut from the stream, which therefore has no BOS where one
// of them begins: the window brings it.
void append_document(std::vector<std::int32_t>& stream, const Tokenizer& tokenizer, std::int64_t window,
                     const std::string& document) {
  const std::int64_t step = payload(tokenizer, window), bos = tokenizer.bos();
  for (const std::int32_t token : tokenizer.encode(document + "\n"))
    if (bos < 0 || token != bos || length(stream) % step != 0) stream.push_back(token);
}

// The end of the sentence that begins at `begin`, with the spaces after it; at most `most` bytes further,
// then at a space or between two characters.
std::size_t sentence_end(std::string_view text, std::size_t begin, std::size_t most) {
  const std::size_t limit = std::min(text.size(), begin + most);
  for (std::size_t i = begin; i + 1 < limit; ++i)
    if ((text[i] == '.' || text[i] == '!' || text[i] == '?') && text[i + 1] == ' ')
      return text.find_first_not_of(' ', i + 1) == text.npos ? text.size()
                                                             : text.find_first_not_of(' ', i + 1);
  if (limit == text.size()) return limit;
  if (const auto space = text.rfind(' ', limit); space != text.npos && space > begin) return space + 1;
  std::size_t end = limit;  // inside a text without spaces: not inside a UTF-8 character
  while (end > begin + 1 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return end;
}

// Where documents are cut: after every line, and after every sentence of a line that is very long. Line ends
// are preferred because a paragraph is about one thing.
std::vector<std::size_t> cuts_of(std::string_view document, std::size_t longest_line) {
  std::vector<std::size_t> ends;
  for (std::size_t begin = 0; begin < document.size();) {
    const std::size_t end = std::min(document.find('\n', begin), document.size() - 1) + 1;
    if (end - begin > longest_line)
      for (std::size_t at = begin; at < end; ends.push_back(at))
        at = sentence_end(document.substr(0, end), at, longest_line / 8);
    else
      ends.push_back(end);
    begin = end;
  }
  return ends;
}

// Cuts a long document into pieces of at least `least` tokens, at line ends. Only a line that would be
// several pieces long by itself is cut after sentences.
void cut_document(std::string document, const Tokenizer& tokenizer, std::int64_t least,
                  std::vector<std::string>& pieces) {
  // A token has at least one byte, so a document with few bytes cannot give two pieces and needs no counting.
  const std::size_t first_piece = pieces.size();
  std::int64_t count = 0;
  std::size_t begin = 0, piece_begin = 0;
  const auto longest_line = static_cast<std::size_t>(very_long_line * least);
  const bool is_long = document.size() >= 2 * static_cast<std::size_t>(least);
  for (const std::size_t end : is_long ? cuts_of(document, longest_line) : std::vector<std::size_t>()) {
    count += length(tokenizer.encode(std::string_view(document).substr(begin, end - begin)));
    if (count >= least) {
      pieces.push_back(document.substr(piece_begin, end - piece_begin));
      piece_begin = end;
      count = 0;
    }
    begin = end;
  }
  if (pieces.size() == first_piece)
    pieces.push_back(std::move(document));
  else
    pieces.back().append(document, piece_begin);  // what is left is too short for a piece of its own
  for (std::size_t i = first_piece; i < pieces.size(); ++i)
    if (pieces[i].ends_with('\n')) pieces[i].pop_back();
}

void append_windows(Windows& windows, const Tokenizer& tokenizer, const std::vector<std::int32_t>& stream,
                    std::int64_t count, std::size_t source) {
  const std::int64_t step = payload(tokenizer, windows.window);
  for (std::int64_t i = 0; i < count; ++i) {
    if (tokenizer.bos() >= 0) windows.tokens.push_back(tokenizer.bos());
    windows.tokens.insert(windows.tokens.end(), stream.begin() + i * step, stream.begin() + (i + 1) * step);
    windows.source.push_back(static_cast<std::int32_t>(source));
  }
}

/// Tokens of a setting, of which a split takes one part in `parts`.
struct Asked {
  std::int64_t tokens = 0;
  const char* setting = "{tokens}";
  std::int64_t parts = 1;
};

/// The number of whole windows that every file gives to a split of tokens over all files.
std::int64_t windows_per_file(const Asked& asked, std::size_t files, std::int64_t window) {
  const std::int64_t tokens = asked.tokens;
  if (window < 2)
    throw Refusal(fmt::format("A window of {} tokens is too short.", window), "Set {window} to 2 or more.");
  if (tokens < 0)
    throw Refusal(fmt::format("The number of tokens is negative: {}.", tokens), "Use a number above 0.");
  if (tokens > most_tokens)
    throw Refusal(fmt::format("The number of tokens is too large: {}.", tokens),
                  "Ask for fewer tokens ({tokens}).");
  const std::int64_t count = tokens / static_cast<std::int64_t>(files) / window;
  if (count == 0 && tokens > 0)
    throw Refusal(fmt::format("{} tokens over {} file{} do not fill one window of {} in each.", tokens, files,
                              files == 1 ? "" : "s", window),
                  fmt::format("Set {} to {} or more, or use a shorter {{window}}.", asked.setting,
                              asked.parts * window * static_cast<std::int64_t>(files)));
  return count;
}

[[noreturn]] void refuse_short_file(const fs::path& file, std::int64_t found, std::int64_t needed,
                                    bool repeats = false) {
  throw Refusal(
      fmt::format("{} has too few tokens: {} found, {} needed{}.", file.filename().string(), found, needed,
                  repeats          ? " (documents that came before are not counted again)"
                  : found < needed ? ""
                                   : " (no document goes into two splits)"),
      "Ask for fewer tokens ({tokens}), or give more text.", file);
}

void refuse_no_files(const std::vector<fs::path>& files) {
  if (files.empty()) throw Refusal("There is no text.", "Choose text files with {text}.");
}

void refuse_repeated_files(const std::vector<fs::path>& files) {
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      std::error_code code;
      if (fs::equivalent(files[i], files[j], code))
        throw Refusal(fmt::format("{} is given twice.", files[i].filename().string()),
                      "Name every text file once.", files[i]);
    }
}

// Hands out the pieces of one file in random order until they are used up. A document that came before, in
// this or an earlier file, is left out: held-out text must not be calibrated on.
class PieceStream {
 public:
  PieceStream(const fs::path& file, const Tokenizer& tokenizer, std::int64_t window, Random random,
              std::unordered_set<std::string>& seen) {
    for (std::string& document : read_documents(file, tokenizer.chat_template())) {
      const bool is_new = seen.insert(document).second;
      repeats_ = repeats_ || !is_new;
      if (is_new) cut_document(std::move(document), tokenizer, windows_per_piece * window, pieces_);
    }
    random.shuffle(pieces_);
  }

  // Whether documents were left out because they had come before.
  bool repeats() const { return repeats_; }

  // The next piece, or null when all are used up.
  const std::string* next() { return next_ < pieces_.size() ? &pieces_[next_++] : nullptr; }

 private:
  std::vector<std::string> pieces_;
  std::size_t next_ = 0;
  bool repeats_ = false;
};

// The tokens that one split takes from one file.
struct Share {
  std::int64_t wanted = 0;
  std::vector<std::int32_t> stream;

  bool full() const { return length(stream) >= wanted; }
  double filled() const {
    return wanted == 0 ? 1 : static_cast<double>(length(stream)) / static_cast<double>(wanted);
  }
};

// Fills both splits from the same pieces, about a window at a time, so that they are equally hard. What is
// measured on the text of the tables should also hold on the text that checks it.
void deal(PieceStream& pieces, const Tokenizer& tokenizer, std::int64_t window, Share& tables,
          Share& checking) {
  while (!tables.full() || !checking.full()) {
    const std::string* piece = pieces.next();
    if (piece == nullptr) return;
    std::vector<std::string> parts;
    cut_document(*piece, tokenizer, window, parts);
    for (const std::string& part : parts)
      append_document((tables.filled() <= checking.filled() ? tables : checking).stream, tokenizer, window,
                      part);
  }
}

// The documents of one file and their tokens.
class DocumentStream {
 public:
  DocumentStream(const Tokenizer& tokenizer, std::int64_t window) : tokenizer_(&tokenizer), window_(window) {}

  void add(std::string document) {
    append_document(tokens_, *tokenizer_, window_, document);
    documents_.push_back(std::move(document));
    ends_.push_back(tokens_.size());
  }
  const std::vector<std::int32_t>& tokens() const { return tokens_; }

  // The documents of the first `count` tokens. The last is cut there.
  std::vector<std::string> documents(std::size_t count) && {
    const auto last = static_cast<std::size_t>(std::ranges::lower_bound(ends_, count) - ends_.begin());
    if (last < documents_.size() && ends_[last] > count) {
      const std::size_t begin = last > 0 ? ends_[last - 1] : 0;
      documents_[last] = tokenizer_->decode(std::span(tokens_).subspan(begin, count - begin));
    }
    documents_.resize(std::min(documents_.size(), last + 1));
    return std::move(documents_);
  }

 private:
  const Tokenizer* tokenizer_;
  std::int64_t window_;
  std::vector<std::int32_t> tokens_;
  std::vector<std::string> documents_;
  std::vector<std::size_t> ends_;  // of the documents, in tokens
};

void fill(PieceStream& pieces, const Tokenizer& tokenizer, std::int64_t window, Share& share) {
  while (!share.full()) {
    const std::string* piece = pieces.next();
    if (piece == nullptr) return;
    append_document(share.stream, tokenizer, window, *piece);
  }
}

}  // namespace

Split split_corpus(const std::vector<fs::path>& files, const Tokenizer& tokenizer, std::int64_t window,
                   const SplitSize& size, std::uint64_t seed) {
  refuse_no_files(files);
  refuse_repeated_files(files);
  Split split;
  constexpr const char* held_out = "{held_out_tokens}";
  const std::pair<Windows*, Asked> parts[] = {{&split.tables, {size.tables, held_out, 2}},
                                              {&split.checking, {size.checking, held_out, 2}},
                                              {&split.calibration, {size.calibration}}};
  std::int64_t needed = 0;
  for (const auto& [windows, asked] : parts) {
    windows->window = window;
    needed += windows_per_file(asked, files.size(), window) * payload(tokenizer, window);
  }
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < files.size(); ++i) {
    PieceStream pieces(files[i], tokenizer, window, Random(seed, "corpus", i), seen);
    Share shares[3];
    for (std::size_t p = 0; p < 3; ++p)
      shares[p].wanted = windows_per_file(parts[p].second, files.size(), window) * payload(tokenizer, window);
    // Held-out text is taken first, so that it stays the same when more calibration tokens are asked for.
    deal(pieces, tokenizer, window, shares[0], shares[1]);
    fill(pieces, tokenizer, window, shares[2]);
    std::int64_t found = 0;
    for (const Share& share : shares) found += length(share.stream);
    for (std::size_t p = 0; p < 3; ++p) {
      if (!shares[p].full()) refuse_short_file(files[i], found, needed, pieces.repeats());
      append_windows(*parts[p].first, tokenizer, shares[p].stream,
                     shares[p].wanted / payload(tokenizer, window), i);
    }
  }
  return split;
}

Windows picked_windows(const Windows& windows, std::span<const std::int64_t> index) {
  Windows picked;
  picked.window = windows.window;
  for (const std::int64_t i : index) {
    const auto row = windows.row(i);
    picked.tokens.insert(picked.tokens.end(), row.begin(), row.end());
    picked.source.push_back(windows.source[static_cast<std::size_t>(i)]);
  }
  return picked;
}

Windows some_windows(const Windows& windows, std::int64_t count) {
  if (count >= windows.count()) return windows;
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < count; ++i) index.push_back(i * windows.count() / count);
  return picked_windows(windows, index);
}

MeasuredText measured_text(const std::vector<fs::path>& files, const Tokenizer& tokenizer,
                           std::int64_t window, std::int64_t tokens) {
  refuse_no_files(files);
  refuse_repeated_files(files);
  std::int64_t count = windows_per_file({tokens}, files.size(), window);
  const std::int64_t step = payload(tokenizer, window);
  std::vector<DocumentStream> streams;
  for (const fs::path& file : files) {
    streams.emplace_back(tokenizer, window);
    for (std::string& document : read_documents(file, tokenizer.chat_template())) {
      if (count > 0 && length(streams.back().tokens()) >= count * step) break;
      streams.back().add(std::move(document));
    }
  }
  if (count == 0) {
    const auto shortest = std::ranges::min_element(
        streams, {}, [](const DocumentStream& stream) { return stream.tokens().size(); });
    count = std::max<std::int64_t>(length(shortest->tokens()) / step, 1);
  }
  MeasuredText text;
  text.windows.window = window;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& stream = streams[i].tokens();
    if (length(stream) < count * step) refuse_short_file(files[i], length(stream), count * step);
    append_windows(text.windows, tokenizer, stream, count, i);
    text.documents.push_back(std::move(streams[i]).documents(static_cast<std::size_t>(count * step)));
  }
  return text;
}

std::int64_t default_window(std::int64_t max_positions) {
  return std::min<std::int64_t>(max_positions, 2048);
}

}  // namespace ladimo
