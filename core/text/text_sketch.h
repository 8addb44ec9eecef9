// Which stretches of text have been seen. A sketch holds hashes of stretches and no text. It recognises a
// copy with other line ends, another order, other white space, another file format or another beginning and
// end.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo {

/// How much of a text a sketch knows, in letters (text/letters.h) of a sample.
struct Overlap {
  std::int64_t letters = 0;  // that the sample stands for
  std::int64_t found = 0;    // of these, in stretches that the sketch knows

  /// Share of the text that the sketch knows, 0 to 1. Absent when the text is too short to tell.
  std::optional<double> share() const;
};

/// The hashes of a sample of all stretches of 64 letters, and of documents that are shorter. A stretch that
/// short is rarely in two texts by chance: 4 of 100,000 between the two halves of TinyStories that the tests
/// use, none between books. Documents of less than 32 letters and stretches of few different letters count
/// for nothing. One stretch of 32 is sampled, and every short document; fewer in a text that would give more
/// than `most` hashes. Both sides sample by the hash alone, so what one keeps the other looks up.
class TextSketch {
 public:
  explicit TextSketch(std::size_t most = std::size_t{1} << 20);

  /// Adds documents that follow each other. Stretches may run from one into the next. Takes 2 * 8 * `most`
  /// bytes at most, and about three seconds per 100 MB.
  void add(std::span<const std::string> documents);
  /// How much of the documents is in the sketch. Where documents were put in another order, the stretches
  /// that run from one into the next say nothing and are left out.
  Overlap overlap(std::span<const std::string> documents) const;

  std::size_t size() const { return hashes_.size(); }
  bool empty() const { return hashes_.empty(); }

  /// The sketch as bytes: limit, count and hashes, 8 bytes each, little-endian.
  std::string bytes() const;
  /// Reads what bytes() gives from the beginning of `bytes` and removes it there. Absent when it is damaged.
  static std::optional<TextSketch> read(std::string_view& bytes);

 private:
  void keep(std::uint64_t hash);
  void tidy();

  std::size_t most_;
  std::uint64_t limit_;                // hashes below it are sampled
  std::vector<std::uint64_t> hashes_;  // sorted and distinct but while documents are added
};

}  // namespace ladimo
