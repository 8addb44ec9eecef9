#include "checkpoint/license.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "base/files.h"
#include "checkpoint/checkpoint.h"
#include "support/gguf_file.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

std::string license_in(const std::string& card) {
  return license_of(ModelFiles("model", {{"README.md", card}})).value_or("none");
}

}  // namespace

TEST_CASE("the license is that of the model card's front matter") {
  CHECK(license_in("---\nlanguage: en\nlicense: apache-2.0\n---\n# Model\n") == "apache-2.0");
  CHECK(license_in("\xef\xbb\xbf---\r\nlicense: \"mit\"  # of the weights\r\n---\r\n") == "mit");
  CHECK(license_in("---\nlicense: other\nlicense_name: llama3.2\nlicense_link: LICENSE\n---\n") ==
        "llama3.2");
  CHECK(license_in("---\nlicense: other\n---\n") == "other");
  CHECK(license_in("---\nlicense: [mit, 'apache-2.0']\n---\n") == "mit, apache-2.0");
  CHECK(license_in("---\nlicense:\n- mit\n  - apache-2.0\ntags:\n- chat\n---\n") == "mit, apache-2.0");
}

TEST_CASE("a card that says nothing usable has no license") {
  for (const char* card :
       {"", "---", "---\n", "license: mit\n", "---\nlicense: mit\n", "---\nlicense:\n---\n",
        "---\nlicense: []\n---\n", "---\nlicense: # none\n---\n", "---\nlicense_name: mine\n---\n",
        "---\n  license: mit\n---\n", "---\nlicense: \xff\xfe\n---\n"}) {
    CAPTURE(card);
    CHECK(license_in(card) == "none");
  }
  CHECK(license_in("---\nlicense: " + std::string(1000, 'x') + "\n---\n").size() < 110);
}

TEST_CASE("config.json speaks where there is no card, and files that cannot be read say nothing") {
  CHECK(license_of(ModelFiles("model", {{"config.json", R"({"license": "mit"})"}})) == "mit");
  for (const char* config : {"{", "[]", R"({"license": 1})", "{}"}) {
    CAPTURE(config);
    CHECK_FALSE(license_of(ModelFiles("model", {{"config.json", config}})));
  }
  const TemporaryFolder folder;
  std::filesystem::create_symlink("nowhere", folder / "README.md");
  CHECK_FALSE(license_of(ModelFiles(folder / "")));
}

TEST_CASE("a GGUF file names its license") {
  const TemporaryFolder folder;
  write_pico_model(folder / "pico");
  GgufFile gguf = gguf_of(folder / "pico");
  write_file(folder / "plain.gguf", gguf.bytes());
  CHECK_FALSE(license_of(model_files(folder / "plain.gguf")));
  gguf.text("general.license", "apache-2.0");
  write_file(folder / "pico.gguf", gguf.bytes());
  CHECK(license_of(model_files(folder / "pico.gguf")) == "apache-2.0");
}
