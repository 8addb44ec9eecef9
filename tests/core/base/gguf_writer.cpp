#include "checkpoint/gguf_writer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/files.h"
#include "checkpoint/gguf.h"
#include "support/environment.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

std::vector<float> numbers(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(static_cast<int>(i % 61) - 30) / 4;
  return values;
}

GgufTensor tensor(const std::string& name, GgufPrecision precision, std::vector<std::int64_t> shape) {
  const GgufTensorSpec spec{name, precision, std::move(shape)};
  return {spec, [count = spec.elements()] { return numbers(count); }};
}

std::vector<fs::path> write(const fs::path& path, const std::vector<GgufTensor>& tensors,
                            std::uint64_t most = std::uint64_t{1} << 40, const GgufKeys& keys = {}) {
  return write_gguf(path, keys, tensors, most, [](const GgufTensorSpec&) {});
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

template <class Work>
void check_error(const std::string& part, Work work) {
  std::string said;
  try {
    work();
  } catch (const Error& error) {
    said = error.what();
  }
  INFO("said: ", said);
  CHECK(said.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("keys come back with their types") {
  const TemporaryFolder folder;
  GgufKeys keys;
  keys.u16("a.u16", 65535);
  keys.u32("a.u32", 4000000000U);
  keys.i32("a.i32", -5);
  keys.f32("a.f32", 0.22F);
  keys.flag("a.flag", true);
  keys.text("a.text", "caf\xC3\xA9");
  keys.texts("a.texts", std::array<std::string, 3>{"x", "", "two words"});
  keys.u32s("a.u32s", std::array<std::uint32_t, 2>{1, 2});
  keys.i32s("a.i32s", std::array<std::int32_t, 2>{-1, 2});
  keys.f32s("a.f32s", std::array<float, 2>{0.5F, -1.5F});
  CHECK(keys.size() == 10);
  CHECK(keys.has("a.text"));
  check_error("a.u32 was set twice", [&] { keys.u32("a.u32", 1); });
  write(folder / "m.gguf", {}, 1, keys);
  const auto gguf = Gguf::open(folder / "m.gguf");
  const GgufMetadata& metadata = gguf.metadata;
  CHECK(metadata.values().size() == 10);
  CHECK(metadata.whole("a.u16") == 65535);
  CHECK(metadata.whole("a.u32") == 4000000000);
  CHECK(std::get<std::int64_t>(metadata.values().at("a.i32")) == -5);
  CHECK(metadata.number("a.f32") == 0.22);
  CHECK(metadata.flag("a.flag") == true);
  CHECK(metadata.text("a.text") == "caf\xC3\xA9");
  CHECK(metadata.texts("a.texts") == std::vector<std::string_view>{"x", "", "two words"});
  CHECK(metadata.wholes("a.u32s") == std::vector<std::int64_t>{1, 2});
  CHECK(metadata.wholes("a.i32s") == std::vector<std::int64_t>{-1, 2});
  CHECK(metadata.floats("a.f32s") == std::vector<float>{0.5F, -1.5F});
  // Copied values are those of the first file, byte by byte.
  GgufKeys copies;
  for (const auto* key : {"a.u32", "a.i32", "a.f32", "a.flag", "a.text", "a.texts", "a.u32s", "a.f32s"})
    copies.copy(key, metadata.values().at(key));
  write(folder / "copy.gguf", {}, 1, copies);
  const auto copy = Gguf::open(folder / "copy.gguf");
  CHECK(copy.metadata.texts("a.texts") == metadata.texts("a.texts"));
  CHECK(copy.metadata.floats("a.f32s") == metadata.floats("a.f32s"));
  CHECK(std::get<std::int64_t>(copy.metadata.values().at("a.i32")) == -5);
  CHECK(keys.bytes().find(copies.bytes().substr(0, 30)) != std::string::npos);
}

TEST_CASE("tensors of every precision come back") {
  const TemporaryFolder folder;
  const std::vector<std::pair<GgufPrecision, std::vector<std::int64_t>>>
      cases{{GgufPrecision::f32, {5}},        {GgufPrecision::f16, {3, 7}},
            {GgufPrecision::bf16, {2, 3, 5}}, {GgufPrecision::q8_0, {2, 3, 64}},
            {GgufPrecision::f32, {700, 512}},  // is rounded in more than one part
            {GgufPrecision::q8_0, {700, 512}}};
  std::vector<GgufTensor> tensors;
  for (std::size_t i = 0; i < cases.size(); ++i)
    tensors.push_back(tensor(fmt::format("t{}", i), cases[i].first, cases[i].second));
  CHECK(write(folder / "m.gguf", tensors) == std::vector<fs::path>{folder / "m.gguf"});
  const auto gguf = Gguf::open(folder / "m.gguf");
  CHECK(gguf.header_bytes % 32 == 0);
  REQUIRE(gguf.tensors.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const TensorView& view = gguf.tensors[i];
    CAPTURE(i);
    CHECK(view.name == fmt::format("t{}", i));
    CHECK(view.shape == cases[i].second);
    CHECK(std::string(view.stored->name) == gguf_precision_name(cases[i].first));
    CHECK(view.bytes.size() == tensors[i].spec.bytes());
    const auto wanted = numbers(tensors[i].spec.elements());
    std::vector<float> values(wanted.size());
    dequantise(*view.stored, view.bytes, values);
    if (cases[i].first != GgufPrecision::q8_0) CHECK(values == wanted);
    double worst = 0;
    for (std::size_t e = 0; e < values.size(); ++e)
      worst = std::max(worst, static_cast<double>(std::abs(values[e] - wanted[e])));
    CHECK(worst <= 7.5 / 127 / 2 + 0.002);
  }
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a split model is one model again") {
  const TemporaryFolder folder;
  GgufKeys keys;
  keys.text("general.architecture", "llama");
  // 4 bytes an element: 128, 256, 1024 (larger than a file may be), 128, 64.
  const std::vector<GgufTensor> tensors{
      tensor("a", GgufPrecision::f32, {32}), tensor("b", GgufPrecision::f32, {2, 32}),
      tensor("c", GgufPrecision::f32, {256}), tensor("d", GgufPrecision::f32, {32}),
      tensor("e", GgufPrecision::f32, {16})};
  const auto files = write(folder / "model.v1.gguf", tensors, 400, keys);
  REQUIRE(files.size() == 3);
  CHECK(files[0] == folder / "model.v1-00001-of-00003.gguf");
  CHECK(files[2] == folder / "model.v1-00003-of-00003.gguf");
  CHECK(files_in(folder.path()) == 3);
  CHECK(gguf_parts(files[1]) == files);
  const auto gguf = Gguf::open(files[1]);
  CHECK(gguf.files == files);
  CHECK(gguf.metadata.text("general.architecture") == "llama");
  CHECK(gguf.metadata.whole("split.count") == 3);
  CHECK(std::get<std::int64_t>(gguf.metadata.values().at("split.tensors.count")) == 5);
  REQUIRE(gguf.tensors.size() == 5);
  std::vector<fs::path> where;
  for (std::size_t i = 0; i < 5; ++i) {
    where.push_back(gguf.tensors[i].file);
    CHECK(gguf.tensors[i].name == tensors[i].spec.name);
    std::vector<float> values(gguf.tensors[i].elements());
    dequantise(*gguf.tensors[i].stored, gguf.tensors[i].bytes, values);
    CHECK(values == numbers(values.size()));
  }
  CHECK(where == std::vector<fs::path>{files[0], files[0], files[1], files[2], files[2]});
  // In one file where that suffices.
  CHECK(write(folder / "one.gguf", tensors, 2048) == std::vector<fs::path>{folder / "one.gguf"});
}

TEST_CASE("what was not finished leaves nothing behind") {
  const TemporaryFolder folder;
  const std::vector<GgufTensor> two{tensor("a", GgufPrecision::f32, {64}),
                                    tensor("b", GgufPrecision::f32, {64})};
  const std::vector<GgufTensorSpec> specs{two[0].spec, two[1].spec};
  for (const std::uint64_t most : {std::uint64_t{1} << 30, std::uint64_t{256}}) {
    CAPTURE(most);
    {
      GgufWriter writer(folder / "m.gguf", {}, specs, most);
      writer.write("a", numbers(64));
      check_error("b was to be written next with 64 elements, but c came with 64",
                  [&] { writer.write("c", numbers(64)); });
      check_error("but b came with 63", [&] { writer.write("b", numbers(63)); });
      check_error("b was declared but not written", [&] { writer.finish(); });
    }
    CHECK(files_in(folder.path()) == 0);
  }
  {
    GgufWriter writer(folder / "m.gguf", {}, specs);
    writer.write("a", numbers(64));
    writer.write("b", numbers(64));
    check_error("Nothing was to be written next", [&] { writer.write("b", numbers(64)); });
  }
  CHECK(files_in(folder.path()) == 0);
  // Work that is stopped before the second of two files.
  CHECK_THROWS_AS(write_gguf(folder / "m.gguf", {}, two, 256,
                             [](const GgufTensorSpec& spec) {
                               if (spec.name == "b") throw Interrupted();
                             }),
                  Interrupted);
  CHECK(files_in(folder.path()) == 0);
  check_error("Tensor a was declared twice", [&] { write(folder / "m.gguf", {two[0], two[0]}); });
  check_error("Tensor q of shape [2, 40] cannot be written as Q8_0", [&] {
    write(folder / "m.gguf", {tensor("q", GgufPrecision::q8_0, {2, 40})});
  });
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("a value that does not fit is refused by the tensor") {
  const TemporaryFolder folder;
  const GgufTensor large{{"blk.0.ffn_up.weight", GgufPrecision::f16, {2, 2}}, [] {
                           return std::vector<float>{1, 2, 1e6F, 3};
                         }};
  check_refused("F16 cannot hold tensor blk.0.ffn_up.weight: a value at or after element 2",
                [&] { write(folder / "m.gguf", {large}); });
  CHECK(files_in(folder.path()) == 0);
}

TEST_CASE("a full disk is said, and an older file stays") {
  const TemporaryFolder folder;
  write_file(folder / "m.gguf", "older");
  {
    const EnvironmentVariable full("LADIMO_DISK_FULL_AFTER_BYTES", "1");
    check_error("The disk is full",
                [&] { write(folder / "m.gguf", {tensor("a", GgufPrecision::f32, {4096})}); });
  }
  CHECK(read_file(folder / "m.gguf") == "older");
  CHECK(files_in(folder.path()) == 1);
  // The second of two files has no place: neither is there.
  fs::create_directories(folder / "m-00002-of-00002.gguf" / "in the way");
  check_error("could not be written", [&] {
    write(folder / "m.gguf", {tensor("a", GgufPrecision::f32, {64}), tensor("b", GgufPrecision::f32, {64})},
          256);
  });
  CHECK_FALSE(fs::exists(folder / "m-00001-of-00002.gguf"));
  CHECK(files_in(folder.path()) == 2);
}
