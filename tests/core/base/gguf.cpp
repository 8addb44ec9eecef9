#include "checkpoint/gguf.h"

#include <doctest/doctest.h>

#include "support/gguf_file.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// One value of each type and two tensors.
GgufFile small() {
  GgufFile file;
  file.text("general.architecture", "llama");
  file.whole("a.whole", 7);
  file.real("a.real", 0.22F);
  file.flag("a.flag", true);
  file.texts("a.texts", {"x", "", "yy"});
  file.list<float>("a.floats", 6, {1, 2});
  file.list<std::int32_t>("a.wholes", 5, {-1, 3});
  file.put("a.negative", 11, raw(std::int64_t{-2}));
  file.put("a.nested", 9, raw(9U) + raw(std::uint64_t{1}) + raw(4U) + raw(std::uint64_t{1}) + raw(5U));
  file.tensors.push_back({"first", {2, 32}, 8, std::string(2 * 34, '\1')});
  file.tensors.push_back({"second", {3}, 0, std::string(12, '\2')});
  return file;
}

std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  write_file(folder / "m.gguf", bytes);
  return refusal_of([&] { Gguf::open(folder / "m.gguf"); });
}

/// Where `part` begins in the file of `small()`.
std::size_t place_of(const std::string& part) { return small().bytes().find(part); }

std::string with(std::size_t at, const std::string& bytes) {
  std::string all = small().bytes();
  return all.replace(at, bytes.size(), bytes);
}

}  // namespace

TEST_CASE("values and tensors of a GGUF file are read") {
  for (const std::uint32_t version : {2U, 3U}) {
    const TemporaryFolder folder;
    auto file = small();
    file.version = version;
    write_file(folder / "m.gguf", file.bytes());
    const Gguf gguf = Gguf::open(folder / "m.gguf");
    const GgufMetadata& metadata = gguf.metadata;
    CHECK(metadata.text("general.architecture") == "llama");
    CHECK(metadata.whole("a.whole") == 7);
    CHECK(metadata.number("a.real") == 0.22);
    CHECK(metadata.flag("a.flag") == true);
    CHECK(metadata.texts("a.texts") == std::vector<std::string_view>{"x", "", "yy"});
    CHECK(metadata.floats("a.floats") == std::vector<float>{1, 2});
    CHECK(metadata.wholes("a.wholes") == std::vector<std::int64_t>{-1, 3});
    CHECK_FALSE(metadata.whole("a.absent"));
    check_refused("a.negative is not a whole number", [&] { metadata.whole("a.negative"); });
    check_refused("a.wholes has a value per layer", [&] { metadata.whole("a.wholes"); });
    check_refused("a.whole is not a text", [&] { metadata.text("a.whole"); });
    check_refused("a.whole is not true or false", [&] { metadata.flag("a.whole"); });
    check_refused("a.flag is not a finite number", [&] { metadata.number("a.flag"); });
    check_refused("a.flag is not a list", [&] { metadata.texts("a.flag"); });
    check_refused("a.floats is not a list of texts", [&] { metadata.texts("a.floats"); });
    check_refused("a.texts is not a list of fp32", [&] { metadata.floats("a.texts"); });
    check_refused("a.texts is not a list of whole", [&] { metadata.wholes("a.texts"); });
    REQUIRE(gguf.tensors.size() == 2);
    CHECK(gguf.tensors[0].shape == std::vector<std::int64_t>{2, 32});
    CHECK(std::string(gguf.tensors[0].stored->name) == "Q8_0");
    CHECK(gguf.tensors[0].elements() == 64);
    CHECK(gguf.tensors[1].bytes.size() == 12);
    CHECK(gguf.tensors[1].bytes[0] == std::byte{2});
  }
}

TEST_CASE("what is wrong with a GGUF file is said with the place") {
  const auto first = place_of("first"), second = place_of("second");
  const std::size_t dims = first + 5, shape = dims + 4, type = shape + 16, offset = type + 4;
  const std::size_t second_offset = second + 6 + 4 + 8 + 4;
  const auto unsigned_long = [](std::uint64_t value) { return raw(value); };
  auto twice = small();
  twice.values.emplace_back("a.whole", raw(4U) + raw(1U));
  auto repeated = small();
  repeated.tensors.push_back(repeated.tensors.front());
  auto alignment = small();
  alignment.whole("general.alignment", 12);
  auto deep = small();
  std::string nest;
  for (int i = 0; i < 20; ++i) nest += raw(9U) + raw(std::uint64_t{1});
  deep.put("a.deep", 9, nest);
  const struct {
    const char* what;
    std::string bytes;
    const char* sentence;
  } cases[] = {
      {"empty", "", "the file is empty"},
      {"LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"},
      {"web page", "<!DOCTYPE html><html>", "a web page"},
      {"another file", "PK\3\4 something", "not a GGUF file"},
      {"only the magic number", "GGUF", "inside the version"},
      {"version 1", with(4, raw(1U)), "version 1 of GGUF"},
      {"version 4", with(4, raw(4U)), "version 4 of GGUF"},
      {"big-endian", with(4, raw(0x03000000U)), "big-endian"},
      {"too many values", with(16, unsigned_long(UINT64_MAX)), "the file ends at"},
      {"too many tensors", with(8, unsigned_long(UINT64_MAX)), "has 0 dimensions"},
      {"a key longer than the file", with(24, unsigned_long(UINT64_MAX - 3)), "inside a metadata key"},
      {"unknown value type", with(place_of("a.whole") + 7, raw(13U)), "unknown value type 13"},
      {"a list longer than the file", with(place_of("a.floats") + 16, unsigned_long(UINT64_MAX / 2)),
       "entries of a.floats"},
      {"texts longer than the file", with(place_of("a.texts") + 15, unsigned_long(UINT64_MAX)),
       "the file ends at"},
      {"lists in lists", deep.bytes(), "lists in lists too deep"},
      {"a key twice", twice.bytes(), "a.whole at offset"},
      {"a tensor twice", repeated.bytes(), "tensor first at offset"},
      {"no dimensions", with(dims, raw(0U)), "has 0 dimensions"},
      {"many dimensions", with(dims, raw(5U)), "has 5 dimensions"},
      {"a dimension of 0", with(shape, unsigned_long(0)), "a dimension of 0"},
      {"a negative dimension", with(shape, unsigned_long(UINT64_MAX)), "a dimension of"},
      {"a shape that overflows", with(shape, unsigned_long(1ULL << 62) + unsigned_long(64)), "does not fit"},
      {"rows that are no blocks", with(shape, unsigned_long(33)), "no whole blocks of 32 (Q8_0)"},
      {"a type that is not read", with(type, raw(16U)), "the quantisation IQ2_XXS"},
      {"an unknown type", with(type, raw(99U)), "the unknown type 99"},
      {"an odd offset", with(offset, unsigned_long(4)), "not a multiple of 32"},
      {"an offset outside", with(second_offset, unsigned_long(1ULL << 40)), "does not fit"},
      {"an offset that overflows", with(second_offset, unsigned_long(~0ULL - 31)), "does not fit"},
      {"overlap", with(second_offset, unsigned_long(32)), "tensor second at offset"},
      {"odd alignment", alignment.bytes(), "general.alignment is 12"},
      {"cut off", small().bytes().substr(0, small().bytes().size() - 33), "does not fit"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.what);
    const std::string said = refusal(item.bytes);
    CHECK_MESSAGE(said.find(item.sentence) != std::string::npos, said);
    CHECK(said.find("m.gguf") != std::string::npos);
  }
}

TEST_CASE("a GGUF file cut off anywhere is refused or reads the same") {
  const std::string all = small().bytes();
  for (std::size_t length = 0; length + 32 < all.size(); ++length)
    CHECK_UNARY_FALSE(refusal(all.substr(0, length)).empty());
}

TEST_CASE("the parts of a split GGUF are opened together") {
  const TemporaryFolder folder;
  const auto path = [&](int part) { return folder / fmt::format("m-{:05}-of-00002.gguf", part); };
  auto one = small(), two = small();
  for (auto* part : {&one, &two}) part->put("split.count", 2, raw(std::uint16_t{2}));
  one.put("split.no", 2, raw(std::uint16_t{0}));
  two.put("split.no", 2, raw(std::uint16_t{1}));
  one.tensors.pop_back();
  two.tensors.erase(two.tensors.begin());
  two.text("general.architecture", "other");
  write_file(path(1), one.bytes());
  write_file(folder / "lone.gguf", one.bytes());
  check_refused("-00002-of-00002.gguf is missing", [&] { Gguf::open(path(1)); });
  check_refused("one of 2 parts, but the file's name does not", [&] { Gguf::open(folder / "lone.gguf"); });
  write_file(path(2), two.bytes());
  for (const int part : {1, 2}) {
    const Gguf gguf = Gguf::open(path(part));
    CHECK(gguf.files.size() == 2);
    CHECK(gguf.tensors.size() == 2);
    CHECK(gguf.metadata.text("general.architecture") == "llama");
  }
  write_file(path(2), one.bytes());
  check_refused("split.no and split.count do not say", [&] { Gguf::open(path(1)); });
  two.tensors = one.tensors;
  write_file(path(2), two.bytes());
  check_refused("tensor first is also in another part", [&] { Gguf::open(path(1)); });
}

TEST_CASE("GGUF is recognised by its name or its first bytes") {
  const TemporaryFolder folder;
  write_file(folder / "model.bin", small().bytes());
  write_file(folder / "other.bin", "some bytes");
  fs::create_directory(folder / "folder.gguf");
  CHECK(is_gguf(folder / "model.bin"));
  CHECK(is_gguf(folder / "absent.GGUF"));
  CHECK_FALSE(is_gguf(folder / "other.bin"));
  CHECK_FALSE(is_gguf(folder / "folder.gguf"));
  CHECK_FALSE(is_gguf(folder / "absent.bin"));
}
