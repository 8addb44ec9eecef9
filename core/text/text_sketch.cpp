#include "text/text_sketch.h"

#include <algorithm>
#include <bitset>
#include <limits>

#include "text/letters.h"

namespace ladimo {
namespace {

constexpr std::size_t stretch = 64;         // letters
constexpr std::size_t shortest = 32;        // letters of a document that counts as a whole
constexpr std::size_t least_different = 8;  // a row of zeros or a ruler is in many texts
constexpr std::uint64_t sampled_one_in = 32;

constexpr std::uint64_t factor = 0x9E3779B97F4A7C15;  // of the rolling hash; odd

constexpr std::uint64_t power(std::uint64_t base, std::size_t exponent) {
  std::uint64_t result = 1;
  for (std::size_t i = 0; i < exponent; ++i) result *= base;
  return result;
}

/// Spreads the bits of a rolling hash (splitmix64).
std::uint64_t mixed(std::uint64_t hash) {
  hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ hash >> 27) * 0x94D049BB133111EB;
  return hash ^ hash >> 31;
}

std::uint64_t value(char letter) { return static_cast<unsigned char>(letter) + std::uint64_t{1}; }

bool is_varied(std::string_view letters) {
  std::bitset<256> different;
  for (const char letter : letters) different.set(static_cast<unsigned char>(letter));
  return different.count() >= least_different;
}

/// A sampled stretch.
struct Sample {
  std::uint64_t hash = 0;
  std::int64_t letters = 0;  // that it stands for in a count
  bool crosses = false;      // it runs into a document that has samples of its own
};

/// Calls `use` with every stretch whose hash is below `limit`.
template <class Use>
void for_each_sample(std::span<const std::string> documents, std::uint64_t limit, const Use& use) {
  constexpr std::uint64_t oldest = power(factor, stretch - 1);
  const auto offer = [&](std::uint64_t hash, std::string_view letters, std::uint64_t weight, bool crosses) {
    if (hash < limit && is_varied(letters)) use(Sample{hash, static_cast<std::int64_t>(weight), crosses});
  };
  std::string text;  // the last letters of the documents before, and this document's
  for (const std::string& document : documents) {
    text.erase(0, text.size() - std::min(text.size(), stretch - 1));
    const std::size_t before = text.size();
    append_letters(document, text);
    const std::string_view letters(text);
    if (const auto own = letters.substr(before); own.size() >= shortest && own.size() < stretch) {
      std::uint64_t hash = own.size();
      for (const char letter : own) hash = hash * factor + value(letter);
      // These have few hashes anyway, so all are kept: one in a sample would weigh too much.
      offer(mixed(hash) / sampled_one_in, own, own.size(), false);
    }
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      if (i >= stretch) hash -= value(letters[i - stretch]) * oldest;
      hash = hash * factor + value(letters[i]);
      if (i + 1 < stretch) continue;
      const std::size_t begin = i + 1 - stretch;
      offer(mixed(hash), letters.substr(begin, stretch), sampled_one_in,
            begin < before && letters.size() - before >= shortest);
    }
  }
}

void append_number(std::uint64_t number, std::string& bytes) {
  for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(number >> shift & 0xFF);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

}  // namespace

std::optional<double> Overlap::share() const {
  if (letters == 0) return {};
  return static_cast<double>(found) / static_cast<double>(letters);
}

TextSketch::TextSketch(std::size_t most)
    : most_(most), limit_(std::numeric_limits<std::uint64_t>::max() / sampled_one_in) {}

void TextSketch::add(std::span<const std::string> documents) {
  for_each_sample(documents, limit_, [&](const Sample& sample) { keep(sample.hash); });
  tidy();
}

void TextSketch::keep(std::uint64_t hash) {
  if (hash >= limit_) return;  // the limit may have fallen meanwhile
  hashes_.push_back(hash);
  if (hashes_.size() >= 2 * most_) tidy();
}

void TextSketch::tidy() {
  std::ranges::sort(hashes_);
  hashes_.erase(std::ranges::unique(hashes_).begin(), hashes_.end());
  while (hashes_.size() > most_) {
    limit_ /= 2;
    hashes_.erase(std::ranges::lower_bound(hashes_, limit_), hashes_.end());
  }
}

Overlap TextSketch::overlap(std::span<const std::string> documents) const {
  Overlap overlap;
  for_each_sample(documents, limit_, [&](const Sample& sample) {
    const bool found = std::ranges::binary_search(hashes_, sample.hash);
    if (found) overlap.found += sample.letters;
    if (found || !sample.crosses) overlap.letters += sample.letters;
  });
  return overlap;
}

std::string TextSketch::bytes() const {
  std::string bytes;
  bytes.reserve(8 * (hashes_.size() + 2));
  append_number(limit_, bytes);
  append_number(hashes_.size(), bytes);
  for (const std::uint64_t hash : hashes_) append_number(hash, bytes);
  return bytes;
}

std::optional<TextSketch> TextSketch::read(std::string_view& bytes) {
  constexpr std::size_t head = 16;
  if (bytes.size() < head) return {};
  TextSketch sketch;
  sketch.limit_ = number_at(bytes, 0);
  const std::uint64_t count = number_at(bytes, 8);
  if (count > (bytes.size() - head) / 8) return {};
  for (std::size_t i = 0; i < count; ++i) sketch.hashes_.push_back(number_at(bytes, head + 8 * i));
  if (!std::ranges::is_sorted(sketch.hashes_)) return {};
  sketch.most_ = std::max(sketch.most_, sketch.hashes_.size());
  bytes.remove_prefix(head + 8 * count);
  return sketch;
}

}  // namespace ladimo
