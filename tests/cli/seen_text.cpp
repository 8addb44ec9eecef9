// Text that a run has seen, in copies, and text files that were moved.
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "run/run_folder.h"
#include "support/same_numbers.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// A short conversion with a policy.
struct Converted {
  Workplace work;
  fs::path run_folder = work.folder / "run";

  Converted() {
    json_of(work.convert(run_folder));
    json_of({"policy", run_folder, "--activated", "0.97"});
  }
  fs::path written(const std::string& name, const std::string& text) const {
    write_file(work.folder / name, text);
    return work.folder / name;
  }
  std::vector<std::string> documents() const {
    std::vector<std::string> all;
    std::istringstream in(read_file(work.text));
    for (std::string line; std::getline(in, line);)
      if (!line.empty()) all.push_back(line);
    return all;
  }
  Finished eval(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"eval", run_folder, "--json", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
};

nlohmann::json result_of(const Finished& finished) {
  INFO(finished.err);
  REQUIRE(finished.status == 0);
  return nlohmann::json::parse(finished.out);
}

bool warns(const Finished& finished) { return finished.err.find("was calibrated on") != std::string::npos; }

}  // namespace

TEST_CASE("copies and parts of the calibration text are recognised, with the share that was seen") {
  const Converted c;
  std::string crlf, lines, reversed;
  auto documents = c.documents();
  for (const std::string& document : documents) {
    crlf += document + "  \r\n\r\n";
    lines += nlohmann::json{{"text", document}}.dump() + "\n";
    reversed = document + "\n\n" + reversed;
  }
  const std::string text = read_file(c.work.text);
  for (const fs::path& copy :
       {c.written("crlf.txt", crlf), c.written("lines.jsonl", lines), c.written("reversed.txt", reversed),
        c.written("part.txt", text.substr(text.size() / 3 + 17, text.size() / 2))}) {
    INFO(copy.string());
    const auto finished = c.eval({"--text", copy, "--tokens", "4000"});
    const auto json = result_of(finished);
    CHECK(warns(finished));
    CHECK(json["seen_share"].get<double>() > 0.97);
    CHECK(json["domains"][0]["seen_share"] == json["seen_share"]);
    CHECK(json["calibrated_on"] == nlohmann::json{copy.string()});
    // A part of the file is calibration text, another is held out, the rest was not used.
    CHECK(json["calibrated_share"].get<double>() > 0.05);
    CHECK(json["calibrated_share"].get<double>() < 0.7);
    CHECK(json["held_out_share"].get<double>() > 0.02);
    CHECK(json["held_out_share"].get<double>() < 0.3);
  }
  // A fifth of a text that is fresh otherwise.
  std::string mixed = read_file(c.work.held_out);
  for (std::size_t i = 50; i < 75; ++i) mixed = documents[i] + "\n\n" + mixed;
  const auto partly = c.eval({"--text", c.written("mixed.txt", mixed)});
  CHECK(warns(partly));
  CHECK(result_of(partly)["seen_share"].get<double>() == doctest::Approx(0.2).epsilon(0.2));

  const auto fresh = c.eval({"--text", c.work.held_out, "--tokens", "2000"});
  CHECK_FALSE(warns(fresh));
  const auto json = result_of(fresh);
  for (const char* share : {"seen_share", "calibrated_share", "held_out_share"}) CHECK(json[share] == 0.0);
  CHECK(json["calibrated_on"].empty());

  // The run's own held-out text: none of it is calibration text.
  const auto own = c.eval({});
  CHECK_FALSE(warns(own));
  CHECK(result_of(own)["seen_share"].get<double>() < 0.01);
  CHECK(result_of(own)["held_out_share"].get<double>() > 0.9);

  // Questions that were made of the calibration text.
  std::string questions;
  for (std::size_t i = 0; i < 20; ++i) {
    const std::string& document = documents[i];
    const nlohmann::json choices = {document.substr(100, 40), "a wrong one"};
    questions +=
        nlohmann::json{{"context", document.substr(0, 100)}, {"choices", choices}, {"label", 0}}.dump() +
        "\n";
  }
  const auto answered = c.eval({"--text", c.work.held_out, "--tasks", c.written("riddles.jsonl", questions)});
  CHECK(answered.err.find("questions of riddles") != std::string::npos);
  CHECK(result_of(answered)["tasks"][0]["seen_share"].get<double>() > 0.9);
}

TEST_CASE("a run of an earlier version recognises whole files alone and says so; convert adds the hashes") {
  const Converted c;
  const fs::path hashes = RunFolder(c.run_folder).seen_text_file();
  const std::string bytes = read_file(hashes);
  CHECK(bytes.size() < 100'000);
  const auto crlf = c.written("crlf.txt", read_file(c.work.text) + "\r\n");
  for (const bool damaged : {false, true}) {
    CAPTURE(damaged);
    if (damaged)
      write_file(hashes, bytes.substr(0, bytes.size() / 2));
    else
      fs::remove(hashes);
    const auto copy = c.eval({"--text", crlf, "--tokens", "2000"});
    CHECK(copy.err.find(damaged ? "damaged" : "byte for byte") != std::string::npos);
    CHECK(copy.err.find("ladimo convert") != std::string::npos);
    CHECK(result_of(copy)["seen_share"].is_null());
    const auto same = c.eval({"--text", c.work.text, "--tokens", "2000"});
    CHECK(warns(same));
    CHECK(result_of(same)["seen_share"] == 1.0);
    json_of(c.work.convert(c.run_folder));
    CHECK(read_file(hashes) == bytes);
  }
}

TEST_CASE("an exported folder still knows the text that it was made with") {
  const Converted c;
  const fs::path folder = c.work.folder / "native";
  json_of({"export", c.run_folder, "--format", "native", "-o", folder});
  const auto json = json_of({"eval", folder, "--text", c.work.text, "--tokens", "2000"});
  CHECK(json["seen_share"] == 1.0);
  CHECK(json["calibrated_on"] == nlohmann::json{c.work.text.string()});
}

TEST_CASE("text files that repeat themselves are noticed while a run is made") {
  const Workplace work;
  // Every document twice: once as it is, once with other spaces, which makes it another document.
  std::istringstream in(read_file(work.text));
  std::string twice;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) twice += line + "\n\n" + "  " + line + " \n\n";
  write_file(work.text, twice);
  auto arguments = work.convert(work.folder / "run");
  *std::ranges::find(arguments, "8000") = "30000";
  const auto finished = run(arguments);
  CHECK(finished.status == 0);
  CHECK(finished.err.find("of the held-out text is also in the text") != std::string::npos);
}

TEST_CASE("a run whose text was moved, renamed, deleted or changed says how to go on") {
  const Converted c;
  const auto said = [](const Finished& refused, const std::string& text) {
    INFO(refused.err);
    CHECK(refused.status == 2);
    CHECK(refused.err.find(text) != std::string::npos);
  };
  auto again = c.work.convert(c.run_folder);
  const auto text = std::ranges::find(again, "--text");
  again.erase(text, text + 2);
  const auto convert = [&](std::vector<std::string> more) {
    auto arguments = again;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  CHECK(convert({}).status == 0);

  const auto elsewhere = c.work.folder / "elsewhere";
  fs::create_directory(elsewhere);
  const auto moved = elsewhere / "renamed.txt";
  fs::rename(c.work.text, moved);
  const std::string recipe = read_file(RunFolder(c.run_folder).recipe_file());
  for (const auto& [refused, option] :
       {std::pair{convert({}), "--text"}, std::pair{c.eval({}), "--run-text"}}) {
    said(refused, "not found: " + c.work.text.string());
    said(refused, option);
    CHECK(refused.err.find("ladimo: ", refused.err.find("ladimo: ") + 1) ==
          std::string::npos);  // one sentence
  }
  // Another text at the new place is refused, and nothing is written.
  said(convert({"--text", c.work.held_out}), "contains another recipe");
  said(c.eval({"--run-text", c.work.held_out}), "not the text of the run");
  said(c.eval({"--run-text", c.work.folder / "nowhere.txt"}), "There is no file");
  CHECK(read_file(RunFolder(c.run_folder).recipe_file()) == recipe);
  said(run({"eval", c.work.model, "--text", c.work.held_out, "--run-text", moved}), "not a run");

  // The same content is accepted under any name, and convert remembers the place.
  const auto measured = result_of(c.eval({"--run-text", moved}));
  CHECK(measured["split"] == "checking");
  CHECK(convert({"--text", moved}).status == 0);
  CHECK(RunFolder(c.run_folder).recipe().text == std::vector<fs::path>{moved});
  CHECK(ladimo::testing::same_numbers(result_of(c.eval({}))["kl"], measured["kl"]));
  CHECK(convert({}).status == 0);

  // Moved to a place beside the run, the text is found without an option.
  fs::rename(moved, c.work.folder / "renamed.txt");
  CHECK(ladimo::testing::same_numbers(result_of(c.eval({}))["kl"], measured["kl"]));

  // Changed where it was.
  write_file(c.work.folder / "renamed.txt", read_file(c.work.folder / "renamed.txt") + "more.\n");
  write_file(moved, "Something else altogether.\n");
  said(convert({}), "has changed since the run was made");
  said(c.eval({}), "has changed since the run was made");
  // What needs no text goes on.
  CHECK(run({"generate", c.run_folder, "--prompt", "the cat", "--max-tokens", "3"}).status == 0);
  CHECK(run({"policy", c.run_folder, "--activated", "0.98"}).status == 0);
  CHECK(c.eval({"--text", c.work.held_out, "--tokens", "2000"}).status == 0);
}

TEST_CASE("of several text files only the moved one need be named, in any order") {
  const Workplace work;
  const auto second = work.folder / "second.txt";
  write_text(second, 400, 7);
  auto arguments = work.convert(work.folder / "run");
  arguments.insert(std::ranges::find(arguments, work.text.string()) + 1, second);
  json_of(arguments);
  const auto moved = work.folder / "far" / "away.txt";
  fs::create_directory(work.folder / "far");
  fs::rename(second, moved);
  auto named = work.convert(work.folder / "run");
  *std::ranges::find(named, work.text.string()) = moved;
  CHECK(json_of(named)["resumed_layers"] == 3);
  CHECK(RunFolder(work.folder / "run").recipe().text == std::vector<fs::path>{work.text, moved});
}
