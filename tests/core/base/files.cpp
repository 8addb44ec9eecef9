#include "base/files.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "support/environment.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::EnvironmentVariable;
using ladimo::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("a written file is read back, and nothing else is left in the folder") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "first");
  write_file(folder / "a.txt", std::string("se\0cond", 7));
  CHECK(read_file(folder / "a.txt") == std::string("se\0cond", 7));
  write_json(folder / "b.json", {{"key", {1, 2}}});
  CHECK(read_json(folder / "b.json")["key"][1] == 2);
  CHECK(read_file(folder / "b.json").ends_with("}\n"));
  CHECK(entries(folder.path()) == 2);
}

TEST_CASE("a file that is not committed leaves the old one untouched") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "old");
  {
    AtomicFile file(folder / "a.txt");
    file.write("new", 3);
    CHECK(entries(folder.path()) == 2);
    CHECK(read_file(folder / "a.txt") == "old");
  }
  CHECK(entries(folder.path()) == 1);
  CHECK(read_file(folder / "a.txt") == "old");
}

TEST_CASE("a full disk is an Error that says so, and no partial file stays") {
  TemporaryFolder folder;
  write_file(folder / "a.txt", "old");
  const EnvironmentVariable free("LADIMO_DISK_FREE_BYTES", "1"), full("LADIMO_DISK_FULL_AFTER_BYTES", "1");
  CHECK(free_disk_bytes(folder.path()) == 1);
  try {
    write_file(folder / "a.txt", "new content");
    FAIL("no error");
  } catch (const Refusal&) {
    FAIL("a full disk is no bad input");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("disk is full") != std::string::npos);
    CHECK(error.path() == folder / "a.txt");
    CHECK(error.hint().find("try again") != std::string::npos);
  }
  CHECK(read_file(folder / "a.txt") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a file that cannot be read is refused with a reason") {
  TemporaryFolder folder;
  write_file(folder / "broken.json", "{\"a\": 1,, }");
  CHECK_THROWS_WITH_AS(read_json(folder / "broken.json"), doctest::Contains("error at byte 9"), Refusal);
  CHECK_THROWS_WITH_AS(read_file(folder / "absent"), doctest::Contains("There is no file"), Refusal);
  CHECK_THROWS_WITH_AS(read_file(folder.path()), doctest::Contains("folder"), Refusal);
  CHECK_THROWS_WITH_AS(write_file(folder / "no/such/a.txt", ""), doctest::Contains("could not be written"),
                       Error);
}

TEST_CASE("free space and memory are known, also for a folder that does not exist yet") {
  TemporaryFolder folder;
  CHECK(free_disk_bytes(folder / "not/yet/there") > 0);
  CHECK(available_ram_bytes() > 1 << 20);
}

TEST_CASE("paths are normalised to one spelling") {
  TemporaryFolder folder;
  fs::create_directory(folder / "a");
  fs::create_directory_symlink(folder / "a", folder / "link");
  CHECK(normal_path(folder / "a/../a/./") == normal_path(folder / "a"));
  CHECK(normal_path(folder / "link") == normal_path(folder / "a"));
  CHECK(normal_path(folder / "absent/") == normal_path(folder / "absent"));
  CHECK(normal_path("/") == "/");
}
