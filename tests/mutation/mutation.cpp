#include "mutation.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "gguf_fields.h"

namespace ladimo::testing {
namespace {

using nlohmann::json;

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// What may stand in place of a value. As text, because no JSON library can write some of it.
const std::vector<std::string>& replacements() {
  constexpr int deep = 5000, many = 100'000;
  static const std::vector<std::string> values = {"null",
                                                  "true",
                                                  "false",
                                                  "\"\"",
                                                  "\"x\"",
                                                  "\"../../..\"",
                                                  "\"/\"",
                                                  "\"a\\u0000b\"",
                                                  "\"\\u001b[31mred\"",
                                                  "\"\\ud800\"",
                                                  "\"\xff\xfe\"",
                                                  "\"" + std::string(many, 'x') + "\"",
                                                  "-1",
                                                  "0",
                                                  "1",
                                                  "2",
                                                  "3",
                                                  "7",
                                                  "-0.0",
                                                  "0.5",
                                                  "1e-300",
                                                  "1e9",
                                                  "1e18",
                                                  "1e308",
                                                  "-1e308",
                                                  "1e400",
                                                  "-1e400",
                                                  "NaN",
                                                  "Infinity",
                                                  "-Infinity",
                                                  "100000",
                                                  "1000000000",
                                                  "2147483647",
                                                  "2147483648",
                                                  "-2147483649",
                                                  "4294967295",
                                                  "4294967296",
                                                  "1152921504606846976",
                                                  "9223372036854775807",
                                                  "9223372036854775808",
                                                  "-9223372036854775808",
                                                  "18446744073709551615",
                                                  "18446744073709551616",
                                                  std::string(400, '9'),
                                                  "0." + std::string(400, '3'),
                                                  "{}",
                                                  "[]",
                                                  "[[]]",
                                                  "[null]",
                                                  "[{}]",
                                                  "[\"a\"]",
                                                  "[0]",
                                                  "[-1]",
                                                  "[1, 2, 3]",
                                                  "[1e308, 1e308]",
                                                  "{\"\": 0}",
                                                  "{\"a\": {\"a\": [1]}}",
                                                  std::string(deep, '[') + std::string(deep, ']'),
                                                  std::string(deep, '['),
                                                  repeated("{\"a\":", deep) + "1" + std::string(deep, '}'),
                                                  "[" + repeated("0,", many) + "0]",
                                                  "[" + repeated("[],", many) + "{}]"};
  return values;
}

/// Parsers break at these, so they come more often than the others.
const std::vector<std::string>& worst_replacements() {
  static const std::vector<std::string> values = {std::string(400, '9'), "1e400",
                                                  std::string(5000, '[') + std::string(5000, ']'),
                                                  repeated("{\"a\":", 5000) + "1" + std::string(5000, '}')};
  return values;
}

std::string shortened(const std::string& text) {
  return text.size() <= 60 ? text : fmt::format("{}... ({} bytes)", text.substr(0, 40), text.size());
}

template <class T>
const T& any_of(const std::vector<T>& items, Random& random) {
  return items[random.below(items.size())];
}

const std::string& any_replacement(Random& random) {
  return any_of(random.below(5) == 0 ? worst_replacements() : replacements(), random);
}

/// Every value below `root`, itself included.
void gather(const json& value, const json::json_pointer& at, std::vector<json::json_pointer>& places) {
  places.push_back(at);
  if (value.is_object())
    for (const auto& [key, child] : value.items()) gather(child, at / key, places);
  if (value.is_array())
    for (std::size_t i = 0; i < value.size(); ++i) gather(value[i], at / i, places);
}

/// A place in `root`. Long lists hold most values, so half of the draws go down from the root instead and
/// take every key of an object with the same probability.
json::json_pointer any_place(const json& root, Random& random) {
  if (random.below(2) == 0) {
    std::vector<json::json_pointer> places;
    gather(root, json::json_pointer(), places);
    return any_of(places, random);
  }
  json::json_pointer at;
  for (const json* value = &root; value->is_structured() && !value->empty() && random.below(5) > 0;) {
    auto child = value->begin();
    std::advance(child, static_cast<std::ptrdiff_t>(random.below(value->size())));
    if (value->is_object())
      at /= child.key();
    else
      at /= static_cast<std::size_t>(child - value->begin());
    value = &*child;
  }
  return at;
}

/// `root` as text with `text` in place of the value at `at`.
std::string with_text_at(json root, const json::json_pointer& at, const std::string& text) {
  const std::string marker = "ladimo-mutation";
  root[at] = marker;
  std::string all = root.dump();
  all.replace(all.find('"' + marker + '"'), marker.size() + 2, text);
  return all;
}

std::string scaled(const json& number, Random& random) {
  if (number.is_number_float()) {
    const double factors[] = {-1, 0, 1e-9, 0.5, 2, 1e3, 1e9, 1e100};
    return json(number.get<double>() * factors[random.below(std::size(factors))]).dump();
  }
  const auto value = number.get<std::int64_t>();
  const std::int64_t values[] = {value + 1, value - 1, -value, value / 2};
  return std::to_string(random.below(3) == 0 ? static_cast<std::int64_t>(static_cast<std::uint64_t>(value) *
                                                                         (2 + random.below(2000)))
                                             : values[random.below(std::size(values))]);
}

/// Damages the value at `at`, or what it is called.
Mutation mutated_value(const json& root, const json::json_pointer& at, Random& random) {
  const json& value = root[at];
  const std::string place = at.empty() ? "the whole" : at.to_string();
  const auto kind = random.below(8);
  if (kind == 0 && !at.empty() && root[at.parent_pointer()].is_object()) {
    json changed = root;
    changed[at.parent_pointer()].erase(at.back());
    if (random.below(2) == 0) return {place + " removed", changed.dump()};
    changed[at.parent_pointer()][at.back() + "x"] = value;
    return {place + " renamed", changed.dump()};
  }
  if (kind == 1 && !at.empty() && root[at.parent_pointer()].is_object()) {
    const std::string& other = any_replacement(random);
    return {fmt::format("{} twice, then {}", place, shortened(other)),
            with_text_at(root, at, value.dump() + ", " + json(at.back()).dump() + ": " + other)};
  }
  if (kind == 2 && value.is_array() && !value.empty()) {
    json changed = root;
    json& list = changed[at];
    const auto pick = random.below(value.size());
    switch (random.below(4)) {
      case 0:
        list.erase(pick);
        return {fmt::format("{}: entry {} removed", place, pick), changed.dump()};
      case 1:
        list.push_back(value[pick]);
        return {fmt::format("{}: entry {} once more at the end", place, pick), changed.dump()};
      case 2:
        std::reverse(list.begin(), list.end());
        return {place + " reversed", changed.dump()};
      default:
        return {place + ": every entry many times",
                with_text_at(root, at, "[" + repeated(value[pick].dump() + ",", 2000) + "0]")};
    }
  }
  if (kind <= 4 && value.is_number()) {
    const std::string other = scaled(value, random);
    return {fmt::format("{} becomes {}", place, other), with_text_at(root, at, other)};
  }
  if (kind == 5) {
    const json other = root[any_place(root, random)];
    return {fmt::format("{} becomes {}", place, shortened(other.dump())),
            with_text_at(root, at, other.dump())};
  }
  if (kind == 6 && value.is_object()) {
    json changed = root;
    changed[at]["unknown_key"] = 1;
    return {place + " gets an unknown key", changed.dump()};
  }
  const std::string& other = any_replacement(random);
  return {fmt::format("{} becomes {}", place, shortened(other)), with_text_at(root, at, other)};
}

Mutation mutated_json(const std::string& text, Random& random) {
  const json root = json::parse(text);
  return mutated_value(root, any_place(root, random), random);
}

Mutation mutated_bytes(const std::string& content, Random& random) {
  // Formats have their headers at the beginning, so half of the damage is done there.
  const auto place = [&](std::size_t size) {
    return static_cast<std::size_t>(
        random.below(random.below(2) == 0 ? std::min<std::size_t>(size, 4096) : size));
  };
  std::string bytes = content;
  const std::size_t at = bytes.empty() ? 0 : place(bytes.size());
  const std::size_t few = 1 + static_cast<std::size_t>(random.below(64));
  const auto any_byte = [&] { return static_cast<char>(random.below(256)); };
  switch (random.below(7)) {
    case 0: {
      const auto count = 1 + random.below(8);
      for (std::uint64_t i = 0; i < count && !bytes.empty(); ++i)
        bytes[place(bytes.size())] ^= static_cast<char>(1U << random.below(8));
      return {fmt::format("{} bits flipped", count), bytes};
    }
    case 1:
      bytes.resize(at);
      return {fmt::format("cut off at byte {}", at), bytes};
    case 2: {
      std::string more(few, '\0');
      for (char& c : more) c = any_byte();
      bytes.insert(at, more);
      return {fmt::format("{} random bytes inserted at byte {}", few, at), bytes};
    }
    case 3:
      bytes.erase(at, few);
      return {fmt::format("{} bytes deleted at byte {}", few, at), bytes};
    case 4:
      bytes.insert(at, bytes.substr(at, few * few));
      return {fmt::format("a stretch of {} bytes twice at byte {}", few * few, at), bytes};
    case 5: {
      const char filler = random.below(2) == 0 ? '\0' : '\xff';
      for (std::size_t i = at; i < std::min(bytes.size(), at + few); ++i) bytes[i] = filler;
      return {fmt::format("{} bytes overwritten at byte {}", few, at), bytes};
    }
    default:
      for (std::size_t i = at; i < std::min(bytes.size(), at + few); ++i) bytes[i] = any_byte();
      return {fmt::format("{} random bytes at byte {}", few, at), bytes};
  }
}

std::string length_field(std::uint64_t length) {
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

/// Puts `header` in place of the header of a safetensors file.
std::string with_header(const std::string& content, std::size_t old_length, const std::string& header) {
  return length_field(header.size()) + header + content.substr(8 + old_length);
}

/// Damages the length, or one tensor's entry so that it misleads: types, shapes and places in the file.
Mutation mutated_safetensors(const std::string& content, Random& random) {
  std::uint64_t length = 0;
  std::memcpy(&length, content.data(), 8);
  const std::string text = content.substr(8, length);
  if (random.below(6) == 0) {
    const std::uint64_t lengths[] = {
        0,          1,           length - 1,       length + 1, content.size(),
        1ULL << 32, 100'000'001, ~std::uint64_t{}, 1ULL << 63, content.size() - 8};
    const auto other = lengths[random.below(std::size(lengths))];
    return {fmt::format("a header of {} bytes announced", other), length_field(other) + content.substr(8)};
  }
  json header = json::parse(text);
  std::vector<std::string> names;
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") names.push_back(name);
  if (names.empty() || random.below(3) == 0) {
    auto mutation = mutated_json(text, random);
    mutation.bytes = with_header(content, length, *mutation.bytes);
    return mutation;
  }
  const std::string name = any_of(names, random);
  const json::json_pointer entry = json::json_pointer() / name;
  const json& offsets = header[name]["data_offsets"];
  const std::string begin = offsets[0].dump(), end = offsets[1].dump(),
                    other = header[any_of(names, random)].dump();
  const std::vector<std::pair<const char*, std::string>> changes = {
      {"/dtype", "\"F8_E4M3\""},
      {"/dtype", "\"I64\""},
      {"/dtype", "\"F16\""},
      {"/dtype", "\"f32\""},
      {"/dtype", "\"\""},
      {"/shape", "[]"},
      {"/shape", "[-1]"},
      {"/shape", "[0]"},
      {"/shape", "[0, 0]"},
      {"/shape", "[4294967296, 4294967296]"},
      {"/shape", "[9223372036854775807, 2]"},
      {"/shape", "[-2, -2]"},
      {"/shape", "[1152921504606846976, 4, 4]"},
      {"/shape", "[1e3, 4]"},
      {"/shape", "[18446744073709551615]"},
      {"/shape", "[" + repeated("1,", 5000) + "1]"},
      {"/data_offsets", fmt::format("[{}, {}]", end, begin)},
      {"/data_offsets", fmt::format("[-4, {}]", end)},
      {"/data_offsets", fmt::format("[{}, 1152921504606846976]", begin)},
      {"/data_offsets", fmt::format("[18446744073709551612, {}]", end)},
      {"/data_offsets", fmt::format("[{}, 18446744073709551615]", begin)},
      {"/data_offsets", fmt::format("[{}]", begin)},
      {"/data_offsets", fmt::format("[{}, {}, 0]", begin, end)},
      {"/data_offsets", fmt::format("[{}, {}]", begin, begin)},
      {"/data_offsets", "[0, 4]"},
      {"/data_offsets", fmt::format("[{}, {}.5]", begin, end)},
      {"", other}};
  const auto& [part, value] = any_of(changes, random);
  const std::string changed = with_text_at(header, entry / json::json_pointer(part), value);
  return {fmt::format("{}{} becomes {}", name, part, shortened(value)),
          with_header(content, length, changed)};
}

/// Gives one number in the header another value.
Mutation mutated_gguf(const std::string& content, Random& random) {
  const auto fields = gguf_fields(content);
  const GgufField& field = any_of(fields, random);
  std::uint64_t value = 0;
  std::memcpy(&value, content.data() + field.at, field.bytes);
  const std::uint64_t values[] = {0,
                                  1,
                                  2,
                                  7,
                                  9,
                                  30,
                                  value + 1,
                                  value - 1,
                                  value * 2,
                                  value / 2,
                                  value ^ 1ULL << random.below(8 * field.bytes),
                                  content.size(),
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  1ULL << 32,
                                  1ULL << 61,
                                  INT64_MAX,
                                  1ULL << 63,
                                  ~std::uint64_t{} - random.below(64),
                                  0x7fc000007fc00000,
                                  0x7f8000007f800000};
  const std::uint64_t other = values[random.below(std::size(values))];
  std::string bytes = content;
  std::memcpy(bytes.data() + field.at, &other, field.bytes);
  return {fmt::format("{} at byte {} becomes {}", field.what, field.at, other), bytes};
}

/// Damages one line of JSON lines, or the bytes around it.
Mutation mutated_lines(const std::string& content, Random& random) {
  std::vector<std::size_t> begins = {0};
  for (std::size_t i = 0; i + 1 < content.size(); ++i)
    if (content[i] == '\n') begins.push_back(i + 1);
  const std::size_t begin = any_of(begins, random), end = std::min(content.find('\n', begin), content.size());
  auto mutation = mutated_json(content.substr(begin, end - begin), random);
  mutation.what += fmt::format(" in the line at byte {}", begin);
  mutation.bytes = content.substr(0, begin) + *mutation.bytes + content.substr(end);
  return mutation;
}

}  // namespace

Mutation mutated(const std::filesystem::path& name, const std::string& content, Random& random) {
  const auto ending = name.extension();
  const auto kind = random.below(40);
  if (kind == 0) return {"a folder stands where the file was", {}};
  if (kind == 1) return {"empty", ""};
  if (kind <= 10 || content.empty()) return mutated_bytes(content, random);
  if (ending == ".json") return mutated_json(content, random);
  if (ending == ".jsonl") return mutated_lines(content, random);
  if (ending == ".safetensors") return mutated_safetensors(content, random);
  if (ending == ".gguf") return mutated_gguf(content, random);
  return mutated_bytes(content, random);
}

Mutation mutated_line(const std::string& line, Random& random) {
  auto mutation = random.below(4) == 0 ? mutated_bytes(line, random) : mutated_json(line, random);
  std::ranges::replace(*mutation.bytes, '\n', ' ');
  return mutation;
}

}  // namespace ladimo::testing
