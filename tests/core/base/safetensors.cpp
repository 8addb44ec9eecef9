#include "checkpoint/safetensors.h"

#include <cstring>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::vector<std::byte> some_bytes(std::size_t count, int first) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(first + static_cast<int>(i));
  return bytes;
}

bool same_bytes(const TensorView& view, const std::vector<std::byte>& bytes) {
  return view.bytes.size() == bytes.size() && std::memcmp(view.bytes.data(), bytes.data(), bytes.size()) == 0;
}

// A file with this header (any text) and so many bytes of data.
std::string file_with(const std::string& header, std::size_t data, std::uint64_t lie = 0) {
  const std::uint64_t length = header.size() + lie;
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data, 'x');
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

std::string refusal_of(const fs::path& path) {
  try {
    TensorStore::open(path);
  } catch (const Refusal& refusal) {
    CHECK_FALSE(refusal.hint().empty());
    CHECK_FALSE(refusal.path().empty());
    return refusal.what();
  }
  return "opened";
}

}  // namespace

TEST_CASE("the reader reads what the writer wrote") {
  TemporaryFolder folder;
  const fs::path file = folder / "model.safetensors";
  const auto a = some_bytes(24, 1), b = some_bytes(4, 50);
  SafetensorsWriter writer(file,
                           {{"b", DType::bf16, {2}}, {"a", DType::f32, {2, 3}}, {"none", DType::u8, {0, 4}}},
                           {{"format", "pt"}});
  writer.write("b", b);
  CHECK_FALSE(fs::exists(file));
  writer.write("a", a);
  writer.write("none", {});
  writer.finish();

  const TensorStore store = TensorStore::open(folder.path());
  CHECK(store.tensors().size() == 3);
  CHECK(store.metadata().at("format") == "pt");
  CHECK(store.files() == std::vector<fs::path>{file});
  CHECK(store.at("a").dtype == DType::f32);
  CHECK(store.at("a").shape == std::vector<std::int64_t>{2, 3});
  CHECK(same_bytes(store.at("a"), a));
  CHECK(same_bytes(store.at("b"), b));
  CHECK(store.at("none").bytes.empty());
  CHECK_FALSE(store.contains("c"));
  CHECK_THROWS_WITH_AS(store.at("c"), doctest::Contains("no tensor c"), Refusal);
  // Tensors begin at a multiple of 8, as in the reference implementation.
  CHECK((fs::file_size(file) - 28) % 8 == 0);
}

TEST_CASE("the writer accepts only the declared tensors and leaves no file when it fails") {
  TemporaryFolder folder;
  const fs::path file = folder / "a.safetensors";
  {
    SafetensorsWriter writer(file, {{"a", DType::f32, {1}}, {"b", DType::f32, {1}}});
    CHECK_THROWS_AS(writer.write("b", some_bytes(4, 0)), Error);
    CHECK_THROWS_AS(writer.write("a", some_bytes(5, 0)), Error);
    writer.write("a", some_bytes(4, 0));
    CHECK_THROWS_WITH_AS(writer.finish(), doctest::Contains("b was declared"), Error);
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("shards have the names and the index of Hugging Face") {
  TemporaryFolder folder;
  const std::vector<TensorSpec> specs = {
      {"a", DType::f32, {4}}, {"b", DType::f32, {4}}, {"c", DType::f32, {9}}};
  const auto bytes_of = [](const TensorSpec& spec) { return some_bytes(spec.bytes(), spec.name[0]); };
  write_sharded(folder.path(), specs, 32, bytes_of);
  CHECK(fs::exists(folder / "model-00001-of-00002.safetensors"));
  const auto index = read_json(folder / "model.safetensors.index.json");
  CHECK(index["metadata"]["total_size"] == 68);
  CHECK(index["weight_map"]["b"] == "model-00001-of-00002.safetensors");
  CHECK(index["weight_map"]["c"] == "model-00002-of-00002.safetensors");
  const TensorStore store = TensorStore::open(folder.path());
  CHECK(store.files().size() == 2);
  for (const TensorSpec& spec : specs) CHECK(same_bytes(store.at(spec.name), bytes_of(spec)));

  TemporaryFolder single;
  write_sharded(single.path(), specs, 1000, bytes_of);
  CHECK(fs::exists(single / "model.safetensors"));
  CHECK_FALSE(fs::exists(single / "model.safetensors.index.json"));
}

TEST_CASE("every inconsistency in a file is refused with the file and the place") {
  const std::string good = entry("a", "F32", "[2]", "[0,8]");
  const struct {
    const char* what;
    std::string bytes;
    const char* sentence;
  } cases[] = {
      {"empty", "", "the file is empty"},
      {"no length", "abc", "ends at byte 3"},
      {"header longer than the file", file_with("{}", 0, 1),
       "length at offset 0 is 3 bytes, but the file has 10"},
      {"enormous length", std::string(8, '\xff') + "{}", "18446744073709551615 bytes"},
      {"not JSON", file_with("{\"a\"", 0), "error at byte 13"},
      {"not an object", file_with("[]", 0), "not a JSON object"},
      {"truncated data", file_with("{" + good + "}", 7), "tensor a ends at offset"},
      {"trailing bytes", file_with("{" + good + "}", 9), "the last 1 bytes, from offset"},
      {"size against shape", file_with("{" + entry("a", "F32", "[3]", "[0,8]") + "}", 8), "needs 12 bytes"},
      {"shape overflows", file_with("{" + entry("a", "F32", "[4611686018427387904,4,4]", "[0,8]") + "}", 8),
       "too many bytes"},
      {"negative shape", file_with("{" + entry("a", "F32", "[-2]", "[0,8]") + "}", 8), "shape in the header"},
      {"fractional shape", file_with("{" + entry("a", "F32", "[2.0]", "[0,8]") + "}", 8),
       "shape in the header"},
      {"huge shape", file_with("{" + entry("a", "F32", "[18446744073709551615]", "[0,8]") + "}", 8),
       "shape in the"},
      {"offsets backwards", file_with("{" + entry("a", "F32", "[2]", "[8,0]") + "}", 8),
       "not a beginning and an end"},
      {"one offset", file_with("{" + entry("a", "F32", "[2]", "[8]") + "}", 8), "not a beginning and an end"},
      {"offsets outside", file_with("{" + entry("a", "F32", "[2]", "[8,16]") + "}", 8),
       "but the file ends at"},
      {"overlap", file_with("{" + good + "," + entry("b", "F32", "[2]", "[4,12]") + "}", 12), "b at offset"},
      {"the same bytes twice", file_with("{" + good + "," + entry("b", "F32", "[2]", "[0,8]") + "}", 8),
       "overlaps"},
      {"a hole", file_with("{" + good + "," + entry("b", "F32", "[1]", "[12,16]") + "}", 16),
       "belong to no tensor"},
      {"no dtype", file_with("{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8), "has no dtype"},
      {"no object", file_with("{\"a\":7}", 0), "has no dtype"},
      {"odd metadata", file_with("{\"__metadata__\":{\"k\":1}}", 0), "k is not a string"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.what);
    TemporaryFolder folder;
    write_file(folder / "model.safetensors", item.bytes);
    const std::string sentence = refusal_of(folder.path());
    CHECK_MESSAGE(sentence.find(item.sentence) != std::string::npos, sentence);
    CHECK(sentence.find("model.safetensors") != std::string::npos);
  }
}

TEST_CASE("dtypes that are not supported keep their name") {
  TemporaryFolder folder;
  write_file(folder / "model.safetensors", file_with("{" + entry("a", "F8_E4M3", "[8]", "[0,8]") + "}", 8));
  CHECK(TensorStore::open(folder.path()).at("a").dtype == DType::other);
  CHECK(TensorStore::open(folder.path()).at("a").dtype_text == "F8_E4M3");
}

TEST_CASE("an index that does not fit its shards is refused") {
  TemporaryFolder folder;
  write_file(folder / "s.safetensors", file_with("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 8));
  const struct {
    const char* index;
    const char* sentence;
  } cases[] = {
      {"{\"weight_map\":{\"a\":\"gone.safetensors\"}}", "gone.safetensors is missing"},
      {"{\"weight_map\":{\"b\":\"s.safetensors\"}}", "s.safetensors does not hold b"},
      {"{\"weight_map\":{\"a\":\"../s.safetensors\"}}", "outside the folder"},
      {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "outside the folder"},
      {"{\"weight_map\":{\"a\":\"\"}}", "outside the folder"},
      {"{\"weight_map\":{\"a\":1}}", "not a string"},
      {"{\"weight_map\":[]}", "no weight_map"},
      {"[1]", "no weight_map"},
      {"{", "not valid JSON"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.index);
    write_file(folder / "model.safetensors.index.json", item.index);
    CHECK(refusal_of(folder.path()).find(item.sentence) != std::string::npos);
  }
  write_file(folder / "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"s.safetensors\"}}");
  CHECK(TensorStore::open(folder.path()).contains("a"));
}

TEST_CASE("a folder without weights and a path that is no file are refused") {
  TemporaryFolder folder;
  CHECK(refusal_of(folder.path()).find("no model.safetensors") != std::string::npos);
  CHECK(refusal_of(folder / "absent.safetensors").find("There is no file") != std::string::npos);
}
