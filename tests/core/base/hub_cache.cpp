#include "checkpoint/hub_cache.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/environment.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::EnvironmentVariable;
using ladimo::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// A cache of the Hub, in the layout of huggingface_hub.
class Cache {
 public:
  fs::path entry(const std::string& name) const { return root() / ("models--" + name); }
  fs::path root() const { return folder_ / "hub"; }
  fs::path snapshot(const std::string& name, const std::string& commit = "c0ffee") const {
    return entry(name) / "snapshots" / commit;
  }
  /// Lays a file as a blob, and a link to it in a commit.
  void lay(const std::string& name, const std::string& file, const std::string& content = "{}",
           const std::string& commit = "c0ffee") const {
    fs::create_directories(entry(name) / "blobs");
    fs::create_directories(snapshot(name, commit));
    write_file(entry(name) / "blobs" / (commit + file), content);
    fs::create_symlink(fs::path("../../blobs") / (commit + file), snapshot(name, commit) / file);
  }
  void lay_main(const std::string& name, const std::string& commit) const {
    fs::create_directories(entry(name) / "refs");
    write_file(entry(name) / "refs" / "main", commit);
  }
  void lay_model(const std::string& name, const std::string& commit = "c0ffee") const {
    lay(name, "config.json", "{}", commit);
    lay(name, "model.safetensors", "weights", commit);
  }

 private:
  TemporaryFolder folder_;
  EnvironmentVariable variable_{"HF_HUB_CACHE", root().c_str()};
};

std::string refusal_of(const std::string& model) {
  try {
    return "found " + find_model(model).string();
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    return refusal.problem().message + " " + refusal.hint();
  }
}

void check_refusal(const std::string& model, const std::string& sentence) {
  const std::string said = refusal_of(model);
  CHECK_MESSAGE(said.find(sentence) != std::string::npos, said);
}

}  // namespace

TEST_CASE("a model in the cache of the Hub is found by its name, its folder and its snapshots") {
  const Cache cache;
  cache.lay_model("org--Tiny");
  const fs::path found = cache.snapshot("org--Tiny");
  CHECK(find_model("org/Tiny") == found);
  CHECK(find_model(cache.entry("org--Tiny")) == found);
  CHECK(find_model(cache.entry("org--Tiny").string() + "/") == found);
  CHECK(find_model(cache.entry("org--Tiny") / "snapshots") == found);
  CHECK(find_model(found) == found);
  CHECK(find_model("org/Tiny/") == found);
  cache.lay_model("gpt2");
  CHECK(find_model("gpt2") == cache.snapshot("gpt2"));
}

TEST_CASE("the commit called main counts, else the only one") {
  const Cache cache;
  cache.lay_model("org--Tiny", "aaa");
  cache.lay_model("org--Tiny", "bbb");
  check_refusal("org/Tiny", "has 2 commits, and none of them is called main. Use the folder of one of them");
  cache.lay_main("org--Tiny", "bbb\n");
  CHECK(find_model("org/Tiny") == cache.snapshot("org--Tiny", "bbb"));
  cache.lay_main("org--Tiny", "../../elsewhere");
  check_refusal("org/Tiny", "has 2 commits");
}

TEST_CASE("paths stay what they are") {
  const Cache cache;
  const TemporaryFolder folder;
  fs::create_directories(folder / "org/Tiny");
  for (const std::string& path : {(folder / "org/Tiny").string(), (folder / "absent").string(),
                                  std::string("./org/Tiny"), std::string("absent"), std::string(),
                                  std::string("a/b/c"), std::string("../x"), std::string("org/na me")})
    CHECK(find_model(path) == path);
}

TEST_CASE("a name that is in no cache is refused with the places and the command that fetches it") {
  const Cache cache;
  check_refusal("org/Tiny", "There is no folder or file org/Tiny");
  check_refusal("org/Tiny", cache.root().string());
  check_refusal("org/Tiny", ".cache/huggingface/hub");
  check_refusal("org/Tiny", "hf download org/Tiny");
  check_refusal("org/Tiny/", "hf download org/Tiny");
}

TEST_CASE("a download in part is said") {
  const Cache cache;
  fs::create_directories(cache.entry("org--empty") / "snapshots");
  check_refusal("org/empty", "contains no files. Download all of it: hf download org/empty.");
  cache.lay("org--begun", "config.json");
  write_file(cache.entry("org--begun") / "blobs" / "0123.incomplete", "half");
  check_refusal("org/begun", "was downloaded in part: 1 of its files is incomplete.");
  cache.lay("org--shards", "config.json");
  cache.lay(
      "org--shards", "model.safetensors.index.json",
      R"({"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors", "d": "../x"}})");
  cache.lay("org--shards", "1.safetensors");
  check_refusal("org/shards", "was downloaded in part: 1 of its 2 weight files are absent.");
  cache.lay("org--shards", "2.safetensors");
  CHECK(find_model("org/shards") == cache.snapshot("org--shards"));
  cache.lay("org--data", "README.md");
  check_refusal("org/data", "contains no config.json");
  cache.lay("org--other", "config.json");
  check_refusal("org/other", "contains no weights. Download all of it: hf download org/other.");
  cache.lay("org--other", "pytorch_model.bin");
  CHECK(find_model("org/other") == cache.snapshot("org--other"));  // what opens it says what is missing
}

TEST_CASE("a single GGUF file stands for its model, and several are listed") {
  const Cache cache;
  cache.lay("org--T-GGUF", "t.Q4_1.gguf");
  cache.lay("org--T-GGUF", "config.json");
  CHECK(find_model("org/T-GGUF") == cache.snapshot("org--T-GGUF") / "t.Q4_1.gguf");
  cache.lay("org--T-GGUF", "t.Q8_0.gguf");
  check_refusal("org/T-GGUF", "has 2 GGUF files: t.Q4_1.gguf, t.Q8_0.gguf. Choose one of them in");
}

TEST_CASE("a split GGUF file stands for its model when all parts are there") {
  const Cache cache;
  cache.lay("org--S", "s-00001-of-00002.gguf");
  check_refusal("org/S", "was downloaded in part: 1 of its 2 weight files are absent. Download all of it");
  cache.lay("org--S", "s-00002-of-00002.gguf");
  CHECK(find_model("org/S") == cache.snapshot("org--S") / "s-00001-of-00002.gguf");
  cache.lay("org--S", "t.gguf");
  check_refusal("org/S", "has 2 GGUF files: s-00001-of-00002.gguf, t.gguf. Choose one of them in");
}

TEST_CASE("a GGUF file is found in capitals, and below the commit") {
  const Cache cache;
  cache.lay("org--U", "M.GGUF");
  CHECK(find_model("org/U") == cache.snapshot("org--U") / "M.GGUF");
  fs::create_directories(cache.snapshot("org--D") / "Q4_1");
  write_file(cache.snapshot("org--D") / "Q4_1" / "d.gguf", "");
  CHECK(find_model("org/D") == cache.snapshot("org--D") / "Q4_1" / "d.gguf");
  CHECK(hub_name_of(find_model("org/D")) == "org/D");
}

TEST_CASE("the tokenizer of a model needs only its own files") {
  const Cache cache;
  cache.lay("org--T", "tokenizer.json");
  CHECK(find_model("org/T", ModelUse::tokenizer) == cache.snapshot("org--T"));
  check_refusal("org/T", "contains no config.json");
  cache.lay("org--T", "t.gguf");
  CHECK(find_model("org/T", ModelUse::tokenizer) == cache.snapshot("org--T") / "t.gguf");
}

TEST_CASE("the cache is listed by name, with sizes and with what is wrong") {
  const Cache cache;
  CHECK(list_hub_cache().empty());
  cache.lay_model("org--Tiny");
  cache.lay_model("gpt2");
  cache.lay("a--data", "README.md", "text");
  fs::create_directories(cache.root() / "datasets--org--text" / "snapshots");
  const auto models = list_hub_cache();
  REQUIRE(models.size() == 3);
  CHECK(models[0].name == "a/data");
  CHECK(models[0].problem);
  CHECK(models[0].path.empty());
  CHECK(models[0].bytes == 4);
  CHECK(models[1].name == "gpt2");
  CHECK(models[2].name == "org/Tiny");
  CHECK(models[2].path == cache.snapshot("org--Tiny"));
  CHECK(models[2].bytes == 9);
  CHECK_FALSE(models[2].problem);
}

TEST_CASE("caches are looked for where huggingface_hub puts them") {
  const EnvironmentVariable hub("HF_HUB_CACHE", "/a/hub"), home("HF_HOME", "~/b"),
      xdg("XDG_CACHE_HOME", "/c");
  const fs::path user = std::getenv("HOME");
  CHECK(hub_caches() == std::vector<fs::path>{"/a/hub", user / "b/hub", "/c/huggingface/hub",
                                              user / ".cache/huggingface/hub"});
}

TEST_CASE("the name of a cached model is that of the Hub") {
  CHECK(hub_name_of("/x/models--org--Tiny/snapshots/abc") == "org/Tiny");
  CHECK(hub_name_of("/x/models--org--Tiny/snapshots/abc/t.gguf") == "org/Tiny");
  CHECK(hub_name_of("/x/models--gpt2/snapshots/abc") == "gpt2");
  CHECK(hub_name_of("/x/org/Tiny").empty());
  CHECK(hub_name_of("/snapshots/abc").empty());
}
