// Structs as JSON objects: one table serves the writer and the reader.
#include <limits>

#include <doctest/doctest.h>

#include "base/json_members.h"
#include "support/refusals.h"

using nlohmann::json;

namespace {

struct Point {
  double x = 0;
};

struct Everything {
  bool flag = false;
  int small = 0;
  std::int64_t integer = 0;
  std::uint64_t count = 0;
  double number = 0;
  std::string text;
  std::filesystem::path path;
  std::vector<int> smalls;
  std::vector<std::int64_t> integers;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  std::vector<std::filesystem::path> paths;
  Point point;
  std::vector<Point> points;
  std::optional<double> maybe_number;
  std::optional<Point> maybe_point;
};

}  // namespace

namespace ladimo {

template <>
struct Members<Point> {
  static constexpr std::tuple all{Member{"x", &Point::x}};
};

template <>
struct Members<Everything> {
  static constexpr std::tuple all{Member{"flag", &Everything::flag},
                                  Member{"small", &Everything::small},
                                  Member{"integer", &Everything::integer},
                                  Member{"count", &Everything::count},
                                  Member{"number", &Everything::number},
                                  Member{"text", &Everything::text},
                                  Member{"path", &Everything::path},
                                  Member{"smalls", &Everything::smalls},
                                  Member{"integers", &Everything::integers},
                                  Member{"numbers", &Everything::numbers},
                                  Member{"texts", &Everything::texts},
                                  Member{"paths", &Everything::paths},
                                  Member{"point", &Everything::point},
                                  Member{"points", &Everything::points},
                                  Member{"maybe_number", &Everything::maybe_number},
                                  Member{"maybe_point", &Everything::maybe_point}};
};

}  // namespace ladimo

using namespace ladimo;
using ladimo::testing::check_refused;

namespace {

const json full = json::parse(R"({
  "flag": true, "small": -3, "integer": -4000000000, "count": 18446744073709551615, "number": 0.1,
  "text": "word", "path": "a/b", "smalls": [1, -2], "integers": [5000000000], "numbers": [0.5, 2],
  "texts": ["a", ""], "paths": ["p", "q"], "point": {"x": 1.5}, "points": [{"x": 2.5}, {"x": -1.0}],
  "maybe_number": 7.25, "maybe_point": {"x": 3.5}})");

}  // namespace

TEST_CASE("members of every type survive a round trip") {
  const auto read = members_from_json<Everything>(JsonFields(full, "thing"));
  CHECK(read.count == std::numeric_limits<std::uint64_t>::max());
  CHECK(read.points[1].x == -1);
  CHECK(read.maybe_point->x == 3.5);
  CHECK(members_to_json(read) == full);
}

TEST_CASE("only an optional member may be missing or null") {
  for (const auto& item : full.items()) {
    const std::string& key = item.key();
    json missing = full, null = full;
    missing.erase(key);
    null[key] = nullptr;
    if (key.starts_with("maybe_")) {
      CHECK(members_to_json(members_from_json<Everything>(JsonFields(missing, "thing"))) == null);
      CHECK(members_to_json(members_from_json<Everything>(JsonFields(null, "thing"))) == null);
    } else {
      check_refused("The thing: " + key + " is missing",
                    [&] { members_from_json<Everything>(JsonFields(missing, "thing")); });
      CHECK_FALSE(
          testing::refusal_of([&] { members_from_json<Everything>(JsonFields(null, "thing")); }).empty());
    }
  }
}

TEST_CASE("a wrong value is refused with its place") {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"count": -1})", "count is not an integer of at least 0"},
      {R"({"small": 4000000000})", "small is out of range"},
      {R"({"point": {"x": "far"}})", "point.x is not a number"},
      {R"({"points": [{"x": 1}, {}]})", "points[1].x is missing"},
      {R"({"maybe_number": true})", "maybe_number is not a number"}};
  for (const auto& [change, complaint] : bad) {
    json changed = full;
    changed.update(json::parse(change));
    check_refused(complaint, [&] { members_from_json<Everything>(JsonFields(changed, "thing")); });
  }
}

TEST_CASE("given members are read, the others keep their values") {
  Everything thing;
  thing.small = 8;
  thing.text = "kept";
  const json some = {{"small", 9}, {"text", nullptr}, {"points", {{{"x", 1.0}}}}};
  read_given_members(JsonFields(some, "thing"), thing);
  CHECK(thing.small == 9);
  CHECK(thing.text == "kept");
  CHECK(thing.points.size() == 1);
  CHECK(keys_of_members<Point>() == std::vector<std::string_view>{"x"});
}
