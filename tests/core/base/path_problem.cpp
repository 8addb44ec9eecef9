#include "base/path_problem.h"

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/files.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string said(const std::optional<Problem>& problem) {
  if (problem) CHECK_FALSE(problem->hint.empty());
  return problem ? problem->message + " | " + problem->hint : "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("absent, a dangling link and the wrong kind of thing are told apart") {
  TemporaryFolder folder;
  const fs::path file = folder / "file", link = folder / "link", pipe = folder / "pipe";
  write_file(file, "x");
  fs::create_symlink(folder / "gone", link);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(folder_problem(folder.path()));
  CHECK_FALSE(file_problem(file));
  CHECK(has(said(folder_problem(folder / "none")), "There is no folder"));
  CHECK(has(said(file_problem(folder / "none")), "There is no file"));
  CHECK(has(said(folder_problem("")), "is empty"));
  CHECK(has(said(folder_problem(link)), "gone, which does not exist"));
  CHECK(has(said(file_problem(link)), "gone, which does not exist"));
  CHECK(has(said(folder_problem(file)),
            "is a file, not a folder. | Name the folder that it is in: " + folder.path().string()));
  CHECK(has(said(file_problem(folder.path())), "This is a folder, not a file."));
  CHECK(has(said(file_problem(pipe)), "is a pipe or a device"));
  CHECK(has(said(file_problem("/dev/null")), "is a pipe or a device"));
  CHECK(has(said(file_problem(file / "below")), "There is no file"));
  fs::create_symlink(file, folder / "good");
  CHECK_FALSE(file_problem(folder / "good"));
}

TEST_CASE("what may not be read is named as such") {
  if (::geteuid() == 0) return;  // root may read everything
  TemporaryFolder folder;
  write_file(folder / "file", "x");
  fs::create_directory(folder / "closed");
  fs::permissions(folder / "file", fs::perms::none);
  fs::permissions(folder / "closed", fs::perms::none);
  CHECK(has(said(file_problem(folder / "file")), "may not be read by you"));
  CHECK(has(said(folder_problem(folder / "closed")), "may not be read by you"));
  CHECK(has(said(file_problem(folder / "closed/file")), "cannot be reached"));
  fs::permissions(folder / "closed", fs::perms::owner_all);
}
