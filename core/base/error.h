// Errors that a person reads: what happened, what to do, where.
#pragma once

#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ladimo {

/// One thing that is wrong. `message` says what happened, `hint` what to do (it names settings and actions by
/// their ids in braces, base/setting.h), `path` where it is (may be empty).
struct Problem {
  std::string message;
  std::string hint;
  std::filesystem::path path;
};

/// A failure while running (exit status 1). Finished work is kept.
class Error : public std::runtime_error {
 public:
  explicit Error(Problem problem) : std::runtime_error(problem.message), problem_(std::move(problem)) {}
  explicit Error(std::string message, std::string hint = {}, std::filesystem::path path = {})
      : Error(Problem{std::move(message), std::move(hint), std::move(path)}) {}

  const Problem& problem() const { return problem_; }
  const std::string& hint() const { return problem_.hint; }
  const std::filesystem::path& path() const { return problem_.path; }

 private:
  Problem problem_;
};

/// Bad input or usage (exit status 2). Nothing was written.
class Refusal : public Error {
 public:
  using Error::Error;
  /// Refuses with the message of the first problem and all of them in problems(). Precondition: `problems` is
  /// not empty.
  explicit Refusal(std::vector<Problem> problems) : Error(problems.front()), problems_(std::move(problems)) {}
  const std::vector<Problem>& problems() const { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// The user or the system asked the work to stop (exit status 130). The run can be continued.
class Interrupted : public Error {
 public:
  Interrupted() : Error("Interrupted.", "Run the same command again to continue.") {}
};

/// Returns what any exception means to the user: the problem of an Error, or a description of a file system
/// error, of a lack of memory, or of a bug in this program.
Problem problem_of(const std::exception& failure);

}  // namespace ladimo
