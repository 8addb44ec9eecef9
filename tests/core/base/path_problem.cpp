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
            "is a file, not a folder. | Use the folder that it is in: " + folder.path().string()));
  CHECK(has(said(folder_problem("/dev/null")), "/dev/null is a pipe or a device, not a folder."));
  CHECK(has(said(file_problem(folder.path())), "is a folder, not a file."));
  CHECK(has(said(file_problem(pipe)), "is a pipe or a device"));
  CHECK(has(said(file_problem("/dev/null")), "is a pipe or a device"));
  CHECK(has(said(file_problem(file / "below")), "There is no file"));
  fs::create_symlink(file, folder / "good");
  CHECK_FALSE(file_problem(folder / "good"));
}

TEST_CASE("a link to nothing is an entry of its folder") {
  TemporaryFolder folder;
  CHECK_FALSE(has_entry(folder / "link"));
  fs::create_symlink(folder / "gone", folder / "link");
  CHECK(has_entry(folder / "link"));
}

TEST_CASE("what stands in for a file is known by its first bytes") {
  CHECK(has(said(stand_in_problem("a/b.json", "version https://git-lfs.github.com/spec/v1\n")),
            "b.json is a Git LFS pointer"));
  CHECK(has(said(stand_in_problem("b.json", " \n<!DOCTYPE HTML>")), "b.json is a web page"));
  CHECK(has(said(stand_in_problem("b.json", "<html lang=en>")), "b.json is a web page"));
  for (const char* bytes : {"", " ", "{}", "<htm", "version 2"})
    CHECK_FALSE(stand_in_problem("b.json", bytes));
}

TEST_CASE("what may not be read is named as such") {
  if (::geteuid() == 0) {
    MESSAGE("not checked, because root may read everything");
    return;
  }
  TemporaryFolder folder;
  write_file(folder / "file", "x");
  fs::create_directory(folder / "closed");
  fs::permissions(folder / "file", fs::perms::none);
  fs::permissions(folder / "closed", fs::perms::none);
  CHECK(has(said(file_problem(folder / "file")), "No permission to read"));
  CHECK(has(said(folder_problem(folder / "closed")), "No permission to read"));
  CHECK(has(said(file_problem(folder / "closed/file")), "cannot be reached"));
  fs::permissions(folder / "closed", fs::perms::owner_all);
}
