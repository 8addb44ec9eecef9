// `ladimo compare` and multiple choice, run as commands.
#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/calibration_text.h"
#include "support/pico_model.h"
#include "support/process.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

struct Workplace {
  TemporaryFolder folder;
  fs::path model = folder / "model", text = folder / "calibration.txt", held_out = folder / "held-out.txt";

  Workplace() {
    write_pico_model(model);
    write_text(text, 400);
    write_text(held_out, 60, 1);
  }
  std::vector<std::string> compare(std::vector<std::string> more, const std::string& tokens = "6000",
                                   const std::string& held_out_tokens = "2000") const {
    std::vector<std::string> arguments = {"compare",
                                          model,
                                          "--text",
                                          text,
                                          "--held-out",
                                          held_out,
                                          "--tokens",
                                          tokens,
                                          "--experts",
                                          "12",
                                          "--threads",
                                          "1",
                                          "--recipe",
                                          R"({"held_out_tokens": 2000})",
                                          "--held-out-tokens",
                                          held_out_tokens};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const auto finished = run(arguments);
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  return nlohmann::json::parse(finished.out);
}

std::size_t lines_of(const fs::path& file) {
  std::istringstream lines(read_file(file));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) ++count;
  return count;
}

}  // namespace

TEST_CASE("compare measures all methods at the same share and writes rows as JSON and CSV") {
  const Workplace work;
  const auto csv = work.folder / "rows.csv";
  const auto json = json_of(work.compare({"--ffn-activated", "0.8,0.7", "--csv", csv}));
  CHECK(json["rows"].size() == 26);
  CHECK(lines_of(csv) == 27);
  for (const auto& row : json["rows"]) {
    INFO(row.dump());
    for (const char* key : {"method", "seed", "ffn_activated", "kl", "nll", "perplexity", "seconds"})
      CHECK(row.contains(key));
    CHECK(row["kl"].get<double>() > 0);
    // With nine experts in each of two layers one expert is a large step, and ladimo stays below the target.
    CHECK(std::abs(row["ffn_activated"].get<double>() - row["target"].get<double>()) < 0.04);
  }
  CHECK(json["held_out_tokens"].get<int>() > 1800);
}

TEST_CASE("each seed has its rows and a summary; kept runs are continued") {
  const Workplace work;
  const auto keep = work.folder / "runs";
  const auto arguments = work.compare(
      {"--methods", "static,ladimo", "--ffn-activated", "0.8", "--seeds", "0,3", "--keep", keep});
  const auto json = json_of(arguments);
  REQUIRE(json["rows"].size() == 4);
  CHECK(json["rows"][0]["seed"] == 0);
  CHECK(json["rows"][3]["seed"] == 3);
  CHECK(json["rows"][3]["method"] == "ladimo");
  REQUIRE(json["summary"].size() == 2);
  CHECK(json["summary"][1]["kl_spread"].get<double>() > 0);
  CHECK(fs::exists(keep / "seed-3" / "tradeoff.json"));
  const auto again = json_of(arguments);
  for (std::size_t i = 0; i < 4; ++i) CHECK(again["rows"][i]["kl"] == json["rows"][i]["kl"]);
  // Another recipe in the folder of the last seed is refused before the first one is converted again.
  fs::remove_all(keep / "seed-0");
  auto other = arguments;
  other.insert(other.end(), {"--shared", "4"});
  auto others_alone = other;
  *std::ranges::find(others_alone, "static,ladimo") = "static";
  fs::create_directories(work.folder / "foreign" / "seed-3");
  auto foreign = arguments;
  *std::ranges::find(foreign, keep.string()) = work.folder / "foreign";
  for (const auto& [line, said] :
       {std::pair{other, "another recipe"}, std::pair{others_alone, "another recipe"},
        std::pair{foreign, "something else"}}) {
    const auto refused = run(line);
    INFO(refused.err);
    CHECK(refused.status == 2);
    CHECK(refused.err.find(said) != std::string::npos);
    CHECK(refused.err.find("--keep") != std::string::npos);
    CHECK_FALSE(fs::exists(keep / "seed-0"));
  }
}

TEST_CASE("--ablate adds a row for every step that is left out or added") {
  const Workplace work;
  const auto json =
      json_of(work.compare({"--methods", "ladimo", "--ffn-activated", "0.8", "--ablate"}, "2000", "1000"));
  std::vector<std::string> methods;
  for (const auto& row : json["rows"]) {
    methods.push_back(row["method"]);
    INFO(row.dump());
    CHECK(row["kl"].get<double>() > 0);
  }
  CHECK(methods.size() == 15);
  CHECK(methods.front() == "ladimo");
  for (const char* method :
       {"ladimo without fine experts", "ladimo without refit", "ladimo without thresholds",
        "ladimo without the finish", "ladimo with a second sweep"})
    CHECK(std::ranges::count(methods, method) == 1);
  const auto kl_of = [&](const std::string& method) {
    double kl = 0;
    for (const auto& row : json["rows"])
      if (row["method"] == method) kl = row["kl"].get<double>();
    return kl;
  };
  CHECK(kl_of("ladimo without refit") != kl_of("ladimo"));
}

TEST_CASE("a comparison that cannot be made is refused before any work") {
  const Workplace work;
  const auto copy = work.folder / "copy.txt";
  fs::copy_file(work.text, copy);
  const auto longer = work.folder / "longer.txt";
  write_file(longer, read_file(work.text) + "\r\n");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {work.compare({"--methods", "static,magic"}), "no method called \"magic\""},
      {work.compare({"--ffn-activated", "1.2"}), "1.2 is not a share"},
      {work.compare({"--ffn-activated", "0.2"}), "out of reach"},
      {work.compare({"--held-out", work.text}), "also calibration text"},
      {work.compare({"--held-out", copy}), "also calibration text"},
      {work.compare({"--held-out", longer}), "also calibration text: 100 % of longer.txt is in it"},
      {work.compare({"--seeds", "1,1"}), "named twice"},
      {work.compare({"--csv", work.model / "config.json"}), "not the table of a comparison"},
      {work.compare({"--csv", work.folder.path()}), "cannot be written"},
      {work.compare({"--csv", work.folder / "nowhere/rows.csv"}), "cannot be written"},
      {work.compare({}, "10"), "do not fill"},
      {work.compare({}, "6000", "10000000"), "too few tokens"}};
  const auto keep = work.folder / "runs";
  for (auto [arguments, said] : cases) {
    arguments.insert(arguments.end(), {"--keep", keep});
    const auto finished = run(arguments);
    INFO(finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.err.find(said) != std::string::npos);
    CHECK(finished.err.find("hint:") != std::string::npos);
    CHECK_FALSE(fs::exists(keep));
  }
  auto own = work.compare({});
  own[3] = "self";
  CHECK(run(own).err.find("all methods share") != std::string::npos);
}

TEST_CASE("eval answers multiple choice; a bad line is refused") {
  const Workplace work;
  const auto quiz = work.folder / "quiz.jsonl";
  write_file(quiz, R"({"context": "the cat sat on the", "choices": ["mat", "yes and no"], "label": 0})"
                   "\n"
                   R"({"context": "Lily saw a", "choices": ["big red ball", "was"], "label": 0})"
                   "\n");
  const auto json = json_of({"eval", work.model, "--tasks", quiz, "--text", work.held_out});
  REQUIRE(json["tasks"].size() == 1);
  const auto& task = json["tasks"][0];
  CHECK(task["task"] == "quiz");
  CHECK(task["n"] == 2);
  for (const char* key : {"acc", "acc_se", "acc_norm", "acc_norm_se"}) CHECK(task[key].is_number());
  CHECK(task["dense_acc"].is_null());
  CHECK(json["nll"].is_number());
  // Without text only the questions are evaluated.
  const auto alone = json_of({"eval", work.model, "--tasks", quiz});
  CHECK(alone["tasks"] == json["tasks"]);
  CHECK(alone["nll"].is_null());

  std::string endless = "ball";
  for (int i = 0; i < 2000; ++i) endless += " ball";
  write_file(quiz, R"({"context": "Lily saw a", "choices": ["cat", ")" + endless +
                       R"("], "label": 0})"
                       "\n");
  const auto too_long = run({"eval", work.model, "--tasks", quiz, "--text", work.held_out});
  CHECK(too_long.status == 2);
  CHECK(too_long.err.find("Question 1 of quiz: A choice has") != std::string::npos);

  write_file(quiz, "{}\n");
  const auto finished = run({"eval", work.model, "--tasks", quiz, "--text", work.held_out});
  CHECK(finished.status == 2);
  CHECK(finished.err.find("Line 1 of quiz.jsonl") != std::string::npos);
}
