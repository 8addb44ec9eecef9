#include "text/corpus.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "support/byte_tokenizer.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const testing::ByteTokenizer tokenizer{1, 2};

std::string text_of(const Windows& windows, std::int64_t i) {
  return tokenizer.decode(windows.row(i).subspan(1));
}

// `count` documents of `lines` lines that name themselves: "<prefix>007.2 xxxxx".
std::string documents(const std::string& prefix, int count, int lines) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (int line = 0; line < lines; ++line) text += fmt::format("{}{:03}.{} xxxxx\n", prefix, i, line);
    text += "\n";
  }
  return text;
}

// The names of the documents in a split ("a007").
std::set<std::string> names_in(const Windows& windows) {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < windows.count(); ++i) {
    const std::string text = text_of(windows, i);
    for (std::size_t at = text.find('.'); at != text.npos; at = text.find('.', at + 1))
      if (at >= 4) names.insert(text.substr(at - 4, 4));
  }
  return names;
}

bool disjoint(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::none_of(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); });
}

template <class Work>
std::string refusal_of(Work work) {
  try {
    work();
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    return refusal.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("in plain text a document ends at a blank line") {
  TemporaryFolder folder;
  const std::string mark = "\xEF\xBB\xBF";
  write_file(folder / "a.txt", mark + "\n\nfirst line \nsecond\r\n \t\r\n\n\nthird");
  CHECK(read_documents(folder / "a.txt") == std::vector<std::string>{"first line \nsecond", "third"});
}

TEST_CASE("in JSONL a document is the key text of a line") {
  TemporaryFolder folder;
  write_file(folder / "a.jsonl",
             "{\"text\": \"one\\n\\ntwo\", \"id\": 1}\n\n{\"text\": \" \"}\n{\"text\": \"\\u00e9\"}");
  CHECK(read_documents(folder / "a.jsonl") == std::vector<std::string>{"one\n\ntwo", "\u00e9"});
}

TEST_CASE("JSON is known by its content, whatever the name") {
  TemporaryFolder folder;
  const std::vector<std::string> expected{"one", "two"};
  const std::string lines = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
  for (const char* name : {"a.JSONL", "a.ndjson", "a.json", "a.txt", "a"}) {
    CAPTURE(name);
    write_file(folder / name, lines);
    CHECK(read_documents(folder / name) == expected);
    write_file(folder / name, "[{\"text\": \"one\"},\n {\"text\": \"two\"}]\n");
    CHECK(read_documents(folder / name) == expected);
    write_file(folder / name, "\n [\"one\", \"two\"]");
    CHECK(read_documents(folder / name) == expected);
  }
  for (const char* text :
       {"[1] A footnote, and text.", "{braces} begin this text", "text, with commas\nand lines"}) {
    write_file(folder / "a.txt", text);
    CHECK(read_documents(folder / "a.txt") == std::vector<std::string>{text});
  }
}

TEST_CASE("a long JSON list is looked at whole, because a part of it is no list") {
  TemporaryFolder folder;
  write_file(folder / "a.json", "[\"" + std::string(300, 'a') + "\", \"" + std::string(300, 'b') + "\"]");
  for (const char* mark : {"", "\xEF\xBB\xBF"}) {
    write_file(folder / "a.json", mark + read_file(folder / "a.json"));
    const auto beginning = read_beginning(folder / "a.json", 100);
    CHECK(beginning.documents.size() == 2);
    CHECK(beginning.share == 1);
  }
}

TEST_CASE("files that hold no text are refused with the place") {
  const struct {
    const char* name;
    std::string bytes;
    const char* sentence;
  } cases[] = {
      {"a.txt", "", "a.txt contains no text"},
      {"a.txt", " \n\t\n", "a.txt contains no text"},
      {"a.txt", "good\nb\xE4se", "not UTF-8 text: error at byte 6"},
      {"a.txt", "\xC0\x80", "error at byte 0"},          // overlong
      {"a.txt", "ab\xED\xA0\x80", "error at byte 2"},    // a surrogate
      {"a.txt", "\xF4\x90\x80\x80", "error at byte 0"},  // above U+10FFFF
      {"a.txt", "x\xE2\x82", "error at byte 1"},         // cut short
      {"a.jsonl", "{\"text\": \"a\"}\n{\"txt\": \"a\"}\n", "Line 2 of a.jsonl has no key \"text\""},
      {"a.jsonl", "{\"text\": \"a\"", "Line 1 of a.jsonl is not valid JSON"},
      {"a.jsonl", "\n{\"text\": 5}\n", "Line 2 of a.jsonl has a \"text\" that is not a string"},
      {"a.jsonl", "{\"text\": \"\"}\n", "a.jsonl contains no text"},
      {"a.jsonl", "[]\n", "a.jsonl contains no text"},
      {"a.jsonl", "[5]\n", "Element 1 of a.jsonl has no key \"text\""},
      {"a.json", "[{\"text\": \"a\"}", "a.json is not valid JSON"},
      {"a.json", "{\n\"data\": []\n}", "a.json is one JSON object over many lines"},
      {"a.txt", "\x1F\x8B\x08 and more", "a.txt is a gzip archive"},
      {"a.txt", "\x28\xB5\x2F\xFD", "a.txt is a zstd archive"},
      {"a.txt", "PK\x03\x04", "a zip archive or an office document"},
      {"a.txt", "PAR1 and more", "a.txt is a Parquet table"},
      {"a.txt", "%PDF-1.7", "a.txt is a PDF document"},
      {"a.txt", "\xFF\xFEh", "a.txt is UTF-16 text"},
      {"a.txt", "version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"},
      {"a.txt", "id,text\n1,once\n", "a table of comma or tab separated values"},
      {"a.tsv", "\"text\"\tlabel\nonce\t1\n", "a table of comma or tab separated values"},
      {"a.txt", "id;review\n1;once, twice\n2;never\n", "a table of comma or tab separated values"},
      {"a.txt", "Review ID,Review Body\n1,\"once, \"\"twice\"\"\n\nthen\"\n2,no\n", "a table of comma"},
      {"a.txt", ",title,body\n0,a,once\n1,b,\"c, d\"\n", "a table of comma or tab separated values"},
      {"a.CSV", "text\n\"once\"\n", "a table of comma or tab separated values"},
      {"a.txt", "[{\"text\": \"a\"}, {\"te", "a.txt is not valid JSON"},
      {"a.txt", "{\"text\": oops}\n{\"text\": \"a\"}\n", "Line 1 of a.txt is not valid JSON"},
      {"a.txt", "{\\rtf1\\ansi once}", "a.txt is an RTF document"},
      {"a.txt", std::string("\xFF\xFE\0\0a\0\0\0", 8), "a.txt is UTF-32 text"},
      {"a.txt", std::string("o\0n\0c\0e\0", 8), "a.txt is UTF-16 text"},
      {"a.txt", std::string("\0o\0n\0c\0e", 8), "a.txt is UTF-16 text"},
      {"a.txt", std::string("o\0\0\0n\0\0\0", 8), "a.txt is UTF-32 text"},
      {"a.txt", std::string("ab\0cd", 5), "a.txt is a binary file"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.sentence);
    TemporaryFolder folder;
    write_file(folder / item.name, item.bytes);
    const std::string sentence = refusal_of([&] { read_documents(folder / item.name); });
    CHECK_MESSAGE(sentence.find(item.sentence) != std::string::npos, sentence);
  }
  CHECK(refusal_of([] { read_documents("absent.txt"); }).find("There is no file absent.txt") !=
        std::string::npos);
}

TEST_CASE("a long document without line ends is cut after sentences, or at spaces, or between characters") {
  for (const std::string& unit :
       {std::string("A short sentence, that ends. "), std::string("word "), std::string("\u00e9\u20ac")}) {
    CAPTURE(unit);
    TemporaryFolder folder;
    std::string text;
    while (text.size() < 40000) text += unit;
    write_file(folder / "a.txt", text);
    const auto split = split_corpus({folder / "a.txt"}, tokenizer, 16, {2000, 500, 500}, 0);
    CHECK(split.calibration.count() == 125);
    CHECK(split.tables.count() == 31);
    CHECK(split.checking.count() == 31);
    if (unit.size() > 10)
      for (const Windows* windows : {&split.tables, &split.checking, &split.calibration})
        CHECK(text_of(*windows, 0).starts_with("A short"));
  }
}

TEST_CASE("windows begin with BOS and hold consecutive pieces of text") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "abc\n\ndefg\n\nhijkl");
  const Windows windows = measured_text({folder / "a.txt"}, tokenizer, 5, 0).windows;
  REQUIRE(windows.count() == 3);
  CHECK(windows.row(0)[0] == 1);
  CHECK(text_of(windows, 0) == "abc\n");
  CHECK(text_of(windows, 1) == "defg");
  CHECK(text_of(windows, 2) == "\nhij");  // the tail is dropped
  CHECK(measured_text({folder / "a.txt"}, tokenizer, 5, 14).windows.count() == 2);
  CHECK(default_window(256) == 256);
  CHECK(default_window(131072) == 2048);
}

TEST_CASE("the documents of a measured text are those in its windows, and the last is cut there") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "abc\n\ndefg\n\nhijkl\n\nmno");
  write_file(folder / "b.txt", "pqrs\n\ntuvw\n\nxyz");
  const auto text = measured_text({folder / "a.txt", folder / "b.txt"}, tokenizer, 6, 0);
  CHECK(text.windows.count() == 4);
  CHECK(text.documents == std::vector<std::vector<std::string>>{{"abc", "defg", "h"}, {"pqrs", "tuvw"}});
  const auto first = measured_text({folder / "a.txt"}, tokenizer, 5, 5);
  CHECK(first.documents == std::vector<std::vector<std::string>>{{"abc"}});
}

TEST_CASE("without a BOS windows are text from the first token on") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "abc\n\ndefg\n\nhijkl");
  const testing::ByteTokenizer without{-1, 2};
  const Windows windows = measured_text({folder / "a.txt"}, without, 5, 0).windows;
  REQUIRE(windows.count() == 3);
  CHECK(without.decode(windows.row(0)) == "abc\nd");
  CHECK(without.decode(windows.row(1)) == "efg\nh");
  CHECK(without.decode(windows.row(2)) == "ijkl\n");
  const Split split = split_corpus({folder / "a.txt"}, without, 5, {10, 0, 0}, 0);
  CHECK(std::ranges::count(split.calibration.tokens, -1) == 0);
  CHECK(split.calibration.count() == 2);
}

TEST_CASE("measuring takes equally from every file, as much as the shortest file allows") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", std::string(100, 'a'));
  write_file(folder / "b.txt", std::string(30, 'b'));
  const Windows windows = measured_text({folder / "a.txt", folder / "b.txt"}, tokenizer, 11, 0).windows;
  CHECK(windows.source == std::vector<std::int32_t>{0, 0, 0, 1, 1, 1});
  CHECK(refusal_of([&] {
          measured_text({folder / "a.txt", folder / "b.txt"}, tokenizer, 11, 88);
        }).find("b.txt has too few tokens: 31 found, 40 needed") != std::string::npos);
}

TEST_CASE("splits share no document, and more calibration tokens do not change the held-out splits") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", documents("a", 60, 3));
  write_file(folder / "b.txt", documents("b", 60, 3));
  const std::vector<fs::path> files = {folder / "a.txt", folder / "b.txt"};
  const Split split = split_corpus(files, tokenizer, 16, {640, 320, 200}, 0);
  CHECK(split.calibration.count() == 40);
  CHECK(split.tables.count() == 20);
  CHECK(split.checking.count() == 12);  // 200 / 2 files / 16, rounded down
  CHECK(std::count(split.tables.source.begin(), split.tables.source.end(), 1) == 10);
  CHECK(disjoint(names_in(split.calibration), names_in(split.tables)));
  CHECK(disjoint(names_in(split.calibration), names_in(split.checking)));
  CHECK(disjoint(names_in(split.tables), names_in(split.checking)));

  const Split more = split_corpus(files, tokenizer, 16, {1280, 320, 200}, 0);
  CHECK(more.tables.tokens == split.tables.tokens);
  CHECK(more.checking.tokens == split.checking.tokens);
  CHECK(std::equal(split.calibration.tokens.begin(), split.calibration.tokens.begin() + 16,
                   more.calibration.tokens.begin()));
  CHECK(split_corpus(files, tokenizer, 16, {640, 320, 200}, 0).calibration.tokens ==
        split.calibration.tokens);
  CHECK(split_corpus(files, tokenizer, 16, {640, 320, 200}, 1).tables.tokens != split.tables.tokens);
}

TEST_CASE("a document that occurs in two files is taken once") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", documents("a", 40, 3));
  write_file(folder / "b.txt", documents("a", 40, 3) + documents("b", 40, 3));
  const Split split = split_corpus({folder / "a.txt", folder / "b.txt"}, tokenizer, 16, {320, 320, 0}, 0);
  CHECK(disjoint(names_in(split.calibration), names_in(split.tables)));
}

TEST_CASE("a long document is cut at line ends into pieces of at least four windows") {
  TemporaryFolder folder;
  std::string book = documents("b", 1, 100);
  book.pop_back();
  write_file(folder / "book.txt", book);
  // With windows of 8 a piece holds 3 lines of 13 tokens (39 >= 32). Two splits of one
  // window each need two pieces.
  const Split split = split_corpus({folder / "book.txt"}, tokenizer, 8, {8 * 30, 8 * 10, 8 * 10}, 0);
  for (const Windows* windows : {&split.calibration, &split.tables, &split.checking})
    CHECK(text_of(*windows, 0).starts_with("b000."));  // every piece begins at the start of a line
  CHECK(text_of(split.tables, 0) != text_of(split.checking, 0));

  write_file(folder / "line.txt", std::string(25, 'x'));  // one line stays one piece
  CHECK(refusal_of([&] {
          split_corpus({folder / "line.txt"}, tokenizer, 8, {8, 8, 8}, 0);
        }).find("26 found, 21 needed (no document goes into two splits)") != std::string::npos);
}

TEST_CASE(
    "windows of each held-out piece are dealt to both splits, so that a measurement on one holds on the "
    "other") {
  TemporaryFolder folder;
  std::string book;  // line 1000, 1001 ...; a piece of four windows holds eleven lines
  for (int line = 1000; line < 1400; ++line) book += fmt::format("{}.\n", line);
  book.pop_back();
  write_file(folder / "book.txt", book);
  const auto pieces_in = [](const Windows& windows) {
    std::set<int> pieces;
    for (std::int64_t i = 0; i < windows.count(); ++i) {
      const std::string text = text_of(windows, i);
      for (std::size_t at = text.find('.'); at != text.npos; at = text.find('.', at + 1))
        if (at >= 4) pieces.insert((std::stoi(text.substr(at - 4, 4)) - 1000) / 11);
    }
    return pieces;
  };
  const Split split = split_corpus({folder / "book.txt"}, tokenizer, 16, {320, 320, 320}, 0);
  const auto tables = pieces_in(split.tables), checking = pieces_in(split.checking);
  REQUIRE(tables.size() > 5);
  std::size_t both = 0;
  for (const int piece : tables) both += checking.contains(piece);
  CHECK(both + 1 >= tables.size());
}

TEST_CASE("text that cannot be split is refused with the numbers") {
  TemporaryFolder folder;
  const fs::path a = folder / "a.txt", b = folder / "b.txt";
  write_file(a, documents("a", 20, 1));
  write_file(b, documents("b", 20, 1));
  const auto refused = [&](const std::vector<fs::path>& files, std::int64_t window, const SplitSize& size) {
    return refusal_of([&] { split_corpus(files, tokenizer, window, size, 0); });
  };
  CHECK(refused({a}, 16, {1600, 0, 0}).find("a.txt has too few tokens: 260 found, 1500 needed") !=
        std::string::npos);
  check_refused("31 tokens over 2 files do not fill one window of 16 in each. | Set {tokens} to 32 or more",
                [&] {
                  split_corpus({a, b}, tokenizer, 16, {31, 0, 0}, 0);
                });
  // Each of the two held-out splits has half of what the setting says.
  check_refused("Set {held_out_tokens} to 64 or more", [&] {
    split_corpus({a, b}, tokenizer, 16, {32, 31, 31}, 0);
  });
  CHECK(refused({a, folder / "." / "a.txt"}, 16, {32, 0, 0}).find("given twice") != std::string::npos);
  CHECK(refusal_of([&] {
          measured_text({a, folder / "." / "a.txt"}, tokenizer, 16, 0);
        }).find("given twice") != std::string::npos);
  const fs::path copy = folder / "copy.txt";
  fs::copy_file(a, copy);
  CHECK(refused({a, copy}, 16, {32, 0, 0}).find("documents that came before are not counted again") !=
        std::string::npos);
  CHECK(refused({}, 16, {32, 0, 0}).find("no text") != std::string::npos);
  CHECK(refused({a}, 1, {32, 0, 0}).find("too short") != std::string::npos);
  CHECK(refused({a}, 16, {INT64_MAX, INT64_MAX, INT64_MAX}).find("too large") != std::string::npos);
  CHECK(refused({a}, 16, {-5, 0, 0}).find("number of tokens is negative") != std::string::npos);
}

TEST_CASE("the shared texts give the splits of the standard job") {
  const fs::path text = fs::path(LADIMO_SHARED) / "text";
  if (!fs::exists(text)) {
    MESSAGE("skipped: there is no ", text.string());
    return;
  }
  const auto demo = load_tokenizer(ModelFiles(std::filesystem::path(LADIMO_DEMO)));
  const Split split = split_corpus({text / "stories-train.txt", text / "books-train.txt"}, *demo, 256,
                                   {100000, 12288, 12288}, 0);
  CHECK(split.calibration.count() == 2 * 195);
  CHECK(split.tables.count() == 48);
  CHECK(split.checking.count() == 48);
}
