#include "text/text_look.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/byte_tokenizer.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;

namespace {

const testing::ByteTokenizer tokenizer{-1, -1};

struct Files {
  TemporaryFolder folder;
  TextRequest request;

  Files() {
    for (const char* name : {"a.txt", "b.txt"}) {
      std::string text;
      for (int i = 0; i < 100; ++i) text += "document " + std::to_string(i) + " of " + name + "\n\n";
      write_file(folder / name, text);
    }
    request = {{folder / "a.txt", folder / "b.txt"}, 16, {320, 64, 64}, 0, 3};
  }
};

}  // namespace

TEST_CASE("a look has the tokens of every file, those taken and the first windows") {
  const Files files;
  const TextLook look = look_at_text(files.request, tokenizer, Context());
  CHECK(look.problems.empty());
  CHECK(look.calibration == 20);
  CHECK(look.tables == 4);
  CHECK(look.checking == 4);
  REQUIRE(look.files.size() == 2);
  for (const TextFileLook& file : look.files) {
    CHECK(file.tokens > 1500);
    CHECK_FALSE(file.estimated);
    CHECK(file.taken == 14 * 16);
  }
  REQUIRE(look.windows.size() == 3);
  CHECK(look.windows[0].tokens.size() == 16);
  CHECK(look.windows[0].special.empty());
}

TEST_CASE("a look at a window says which of its tokens are special") {
  const Files files;
  const testing::ByteTokenizer with_bos{'^', 'd'};
  const TextLook look = look_at_text(files.request, with_bos, Context());
  REQUIRE(look.problems.empty());
  for (const WindowLook& window : look.windows) {
    std::vector<int> expected;
    for (int i = 0; i < 16; ++i)
      if (const auto& token = window.tokens[static_cast<std::size_t>(i)]; token == "^" || token == "d")
        expected.push_back(i);
    CHECK(window.special == expected);
    CHECK(window.special.front() == 0);
    CHECK(window.special.size() > 1);
  }
}

TEST_CASE("a look survives its JSON") {
  const Files files;
  const nlohmann::json json = to_json(look_at_text(files.request, tokenizer, Context()));
  CHECK(to_json(text_look_from_json(json)) == json);
  nlohmann::json damaged = json;
  damaged["windows"] = {1};
  testing::check_refused("windows[0] is not a JSON object", [&] { text_look_from_json(damaged); });
  damaged["windows"] = {{{"tokens", {"a"}}}};
  testing::check_refused("special", [&] { text_look_from_json(damaged); });
}

TEST_CASE("too few tokens and missing files are problems; readable files are counted all the same") {
  Files files;
  files.request.size.calibration = 1'000'000;
  TextLook look = look_at_text(files.request, tokenizer, Context());
  REQUIRE(look.problems.size() == 1);
  CHECK(look.problems[0].message.find("too few tokens") != std::string::npos);
  CHECK(look.files[0].tokens > 1500);
  CHECK(look.windows.empty());
  files.request.files[1] = files.folder / "none.txt";
  look = look_at_text(files.request, tokenizer, Context());
  CHECK(look.problems[0].message.find("none.txt") != std::string::npos);
  CHECK(to_json(text_look_from_json(to_json(look))) == to_json(look));
}

TEST_CASE("the beginning of a file ends with a whole line, and says how much of the file it is") {
  const TemporaryFolder folder;
  write_file(folder / "a.jsonl", "{\"text\": \"one\"}\n{\"text\": \"two\"}\n{\"text\": \"three\"}\n");
  const Beginning whole = read_beginning(folder / "a.jsonl", 1000);
  CHECK(whole.documents.size() == 3);
  CHECK(whole.share == 1);
  const Beginning cut = read_beginning(folder / "a.jsonl", 20);
  CHECK(cut.documents == std::vector<std::string>{"one", "two"});
  CHECK(cut.share == doctest::Approx(31.0 / 49).epsilon(0.03));
}
