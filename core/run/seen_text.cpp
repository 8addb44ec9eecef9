#include "run/seen_text.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

namespace ladimo {
namespace {

constexpr std::string_view first_line = "ladimo.seen_text/1\n";
constexpr std::size_t hash_digits = 32;

/// Adds the text of the windows, a few at a time, because the text of all of them may be large.
void add_windows(const Windows& windows, const Tokenizer& tokenizer, TextSketch& sketch,
                 const Context& context) {
  constexpr std::int64_t block = 256;
  for (std::int64_t begin = 0; begin < windows.count(); begin += block) {
    context.check();
    std::vector<std::int64_t> index;
    for (std::int64_t i = begin; i < std::min(begin + block, windows.count()); ++i) index.push_back(i);
    sketch.add(texts_of(picked_windows(windows, index), tokenizer));
  }
}

}  // namespace

SeenShares SeenText::shares(std::span<const std::string> documents) const {
  return {files.overlap(documents).share(), calibration.overlap(documents).share(),
          held_out.overlap(documents).share()};
}

SeenText seen_text(const std::vector<std::filesystem::path>& files, const Split& split,
                   const Tokenizer& tokenizer, const Context& context) {
  SeenText seen;
  for (const auto& file : files) {
    context.check();
    seen.files.add(read_documents(file, tokenizer.chat_template()));
  }
  add_windows(split.calibration, tokenizer, seen.calibration, context);
  add_windows(split.tables, tokenizer, seen.held_out, context);
  add_windows(split.checking, tokenizer, seen.held_out, context);
  return seen;
}

std::vector<std::string> texts_of(const Windows& windows, const Tokenizer& tokenizer) {
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < windows.count(); ++i) {
    const auto row = windows.row(i);
    texts.push_back(tokenizer.decode(row.subspan(tokenizer.bos() < 0 ? 0 : 1)));
  }
  return texts;
}

void write_seen_text(const std::filesystem::path& file, const SeenText& seen) {
  const std::string sketches = seen.files.bytes() + seen.calibration.bytes() + seen.held_out.bytes();
  write_file(file, std::string(first_line) + hash_hex(sketches) + sketches);
}

std::optional<SeenText> read_seen_text(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const std::string bytes = read_file(file);
  std::string_view rest = bytes;
  const auto take = [&](std::size_t count) {
    const auto taken = rest.substr(0, count);
    rest.remove_prefix(taken.size());
    return taken;
  };
  const bool known = take(first_line.size()) == first_line;
  if (const auto hash = take(hash_digits); known && hash == hash_hex(rest)) {
    auto files = TextSketch::read(rest), calibration = TextSketch::read(rest),
         held_out = TextSketch::read(rest);
    if (files && calibration && held_out)
      return SeenText{std::move(*files), std::move(*calibration), std::move(*held_out)};
  }
  throw Refusal("The hashes of the run's text are damaged, or another version wrote them.",
                "To make them again, {continue_run}.", file);
}

}  // namespace ladimo
