// `ladimo serve`, run as a command: every request, cancel, bad requests, and the ways in which it ends.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "run/event_json.h"
#include "support/same_numbers.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

/// One run for all test cases: serve only adds measurements and policies to it.
const fs::path& example_run() {
  static const Workplace work;
  static const fs::path run = [] {
    const auto output = work.folder / "run";
    json_of(work.convert(output));
    json_of({"policy", output, "--activated", "0.97"});
    return output;
  }();
  return run;
}
std::string held_out() { return example_run().parent_path() / "held-out.txt"; }

class Server {
 public:
  explicit Server(const std::vector<std::string>& arguments) : process_(with_threads(arguments)) {
    wait_for([](const json& event) { return event["event"] == "ready"; });
  }

  void send(const json& request) { process_.write(request.dump() + "\n"); }
  void write(const std::string& text) { process_.write(text); }

  /// Waits for the `result` or `error` of a request.
  json answer(int id) {
    return wait_for([&](const json& event) {
      return event.value("id", json()) == id && (event["event"] == "result" || event["event"] == "error");
    });
  }
  /// Waits for the first event for which `fits` holds.
  template <class Fits>
  json wait_for(Fits&& fits) {
    json found;
    process_.wait_until([&] {
      for (const json& event : events())
        if (fits(event)) {
          found = event;
          return true;
        }
      return false;
    });
    REQUIRE_FALSE(found.is_null());
    return found;
  }
  /// The events of all complete lines so far.
  const std::vector<json>& events() const {
    const auto text = process_.out_so_far();
    for (auto end = text.find('\n', read_); end != std::string::npos; end = text.find('\n', read_)) {
      const auto line = text.substr(read_, end - read_);
      CHECK_NOTHROW(parse_event(line));
      events_.push_back(json::parse(line));
      read_ = end + 1;
    }
    return events_;
  }
  int count(int id, const std::string& kind) const {
    int found = 0;
    for (const json& event : events()) found += event.value("id", json()) == id && event["event"] == kind;
    return found;
  }
  Finished close() {
    process_.close_stdin();
    return process_.wait();
  }
  Process& process() { return process_; }

 private:
  static std::vector<std::string> with_threads(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "serve");
    arguments.insert(arguments.end(), {"--threads", "1"});
    return arguments;
  }
  Process process_;
  mutable std::vector<json> events_;
  mutable std::size_t read_ = 0;  // bytes of the output that are parsed
};

}  // namespace

TEST_CASE("generate sends tokens of both sides as they come, and gives the same text as the command") {
  const auto run = example_run();
  Server server({run});
  server.send({{"id", 1}, {"request", "generate"}, {"prompt", "the cat"}, {"max_tokens", 6}});
  const auto result = server.answer(1);
  REQUIRE(result["event"] == "result");
  for (const char* side : {"dense", "converted"}) {
    CHECK(result[side]["tokens"].size() == 6);
    CHECK(result[side]["tokens_per_s"].get<double>() > 0);
  }
  CHECK(server.count(1, "token") == 12);
  const auto token = server.wait_for([](const json& event) { return event["event"] == "token"; });
  CHECK(token["side"] == "dense");
  CHECK(token["id"] == 1);
  CHECK(token["token_id"] == result["dense"]["tokens"][0]["id"]);
  const auto command =
      json_of({"generate", run, "--prompt", "the cat", "--max-tokens", "6", "--threads", "1"});
  CHECK(result["converted"]["text"] == command["text"]);
  CHECK(result["converted"]["tokens"] == command["tokens"]);

  // Another policy, only one side, and sampling.
  auto policy = read_json(run / "policy.json");
  for (auto& layer : policy["layers"]) layer = {{"layer", layer["layer"]}, {"kind", "top_k"}, {"k", 2}};
  server.send({{"id", 2},
               {"request", "generate"},
               {"prompt", "the"},
               {"max_tokens", 3},
               {"temperature", 0.8},
               {"seed", 3},
               {"sides", {"converted"}},
               {"policy", policy}});
  const auto sampled = server.answer(2);
  CHECK_FALSE(sampled.contains("dense"));
  CHECK(sampled["converted"]["tokens"][0]["experts"] == json{2, 2, 2});
  CHECK(server.close().status == 0);
}

TEST_CASE("eval gives the numbers of the command, on named text and on the checking split, and keeps them") {
  const auto run = example_run();
  Server server({run});
  server.send({{"id", 1}, {"request", "eval"}, {"text", {held_out()}}, {"tokens", 1000}});
  server.send({{"id", 2}, {"request", "eval"}});
  const auto on_text = server.answer(1), on_split = server.answer(2);
  CHECK(on_text["split"] == "text");
  CHECK(on_split["split"] == "checking");
  CHECK(on_split["tokens"] == 15 * 63);
  const auto command = json_of({"eval", run, "--text", held_out(), "--tokens", "1000", "--threads", "1"});
  for (const char* key :
       {"kl", "perplexity", "dense_perplexity", "same_top", "activated_fraction", "kl_percentiles"})
    CHECK(ladimo::testing::same_numbers(on_text[key], command[key]));
  CHECK(ladimo::testing::same_numbers(json_of({"eval", run, "--threads", "1"})["kl"], on_split["kl"]));
  CHECK(server.count(1, "step") == 1);
  CHECK(server.count(1, "progress") > 0);

  const auto shown = json_of({"show", run});
  const auto& measurements = shown["measurements"];
  REQUIRE(measurements.size() == 4);
  CHECK(measurements[0]["text"] == json{held_out()});
  CHECK(measurements[0]["numbers"]["kl"] == on_text["kl"]);
  CHECK(measurements[0]["numbers"]["decode_ms"].is_null());
  CHECK(measurements[0]["policy"] == read_json(run / "policy.json"));
  check_keys(measurements[1], {"date", "machine", "split", "text", "tokens", "window", "policy", "numbers",
                               "dense_perplexity", "same_top", "same_top_se", "kl_percentiles"});
  auto measure = server.wait_for([](const json& event) { return event["event"] == "measure"; });
  measure.erase("event");
  measure.erase("id");
  CHECK(measure == measurements[0]);
  CHECK(server.close().status == 0);
}

TEST_CASE("eval answers tasks alone, and keeps that as a measurement without a text") {
  const auto run = example_run();
  const auto before = json_of({"show", run})["measurements"].size();
  const testing::TemporaryFolder folder;
  const auto quiz = folder / "quiz.jsonl";
  write_file(quiz, R"({"context": "the cat sat on the", "choices": ["mat", "yes and no"], "label": 0})"
                   "\n");
  Server server({run});
  server.send({{"id", 1}, {"request", "eval"}, {"tasks", {quiz.string()}}, {"tasks_only", true}});
  server.send({{"id", 2}, {"request", "eval"}, {"tasks_only", true}});
  const auto result = server.answer(1);
  CHECK(result["nll"].is_null());
  REQUIRE(result["tasks"].size() == 1);
  CHECK(result["tasks"][0]["file"] == quiz.string());
  CHECK(result["tasks"][0]["paired"]["p"].is_number());
  CHECK(server.answer(2)["message"].get<std::string>().find("nothing to measure") != std::string::npos);
  server.send({{"id", 3},
               {"request", "eval"},
               {"text", {quiz.string()}},
               {"tasks", {quiz.string()}},
               {"tasks_only", true}});
  CHECK(server.answer(3)["message"].get<std::string>().find("Only tasks") != std::string::npos);
  CHECK(server.close().status == 0);
  const auto kept = json_of({"show", run})["measurements"];
  REQUIRE(kept.size() == before + 1);
  CHECK(kept.back()["tasks"] == result["tasks"]);
  CHECK(kept.back()["numbers"].is_null());
  CHECK(json_of({"eval", run, "--tasks-only", "--tasks", quiz})["tasks"] == result["tasks"]);
}

TEST_CASE("an eval that is stopped at a task keeps the text and the tasks before") {
  const auto run = example_run();
  const auto before = json_of({"show", run})["measurements"].size();
  const testing::TemporaryFolder folder;
  const auto quiz = folder / "quiz.jsonl", exam = folder / "exam.jsonl";
  const std::string question =
      R"({"context": "the cat sat on the", "choices": ["mat", "yes and no"], "label": 0})"
      "\n";
  std::string many;
  for (int i = 0; i < 2000; ++i) many += question;
  write_file(quiz, question);
  write_file(exam, many);
  Server server({run});
  server.send({{"id", 1}, {"request", "eval"}, {"tasks", {quiz.string(), exam.string()}}});
  server.wait_for([](const json& event) { return event["event"] == "step" && event["name"] == "task exam"; });
  server.send({{"request", "cancel"}, {"id", 1}});
  CHECK(server.answer(1)["canceled"] == true);
  CHECK(server.close().status == 0);
  const auto kept = json_of({"show", run})["measurements"];
  REQUIRE(kept.size() == before + 1);
  CHECK(kept.back()["numbers"].is_object());
  REQUIRE(kept.back()["tasks"].size() == 1);
  CHECK(kept.back()["tasks"][0]["task"] == "quiz");
}

TEST_CASE("policy is checked and written, as the run's or under a name; bench gives times") {
  const auto run = example_run();
  const auto before = read_json(run / "policy.json");
  Server server({run});
  auto policy = before;
  policy["layers"][0] = {{"layer", 0}, {"kind", "top_k"}, {"k", 3}};
  server.send({{"id", 1}, {"request", "policy"}, {"policy", policy}, {"name", "calm"}});
  CHECK(server.answer(1)["path"] == (run / "policies/calm.json").string());
  server.send({{"id", 2}, {"request", "policy"}, {"policy", policy}});
  CHECK(server.answer(2)["path"] == (run / "policy.json").string());
  CHECK(read_json(run / "policy.json") == policy);
  server.send({{"id", 3}, {"request", "policy"}, {"policy", before}});
  CHECK(server.answer(3)["event"] == "result");
  CHECK(json_of({"show", run})["policies"] == json{{"calm", policy}});
  // It does not write over what the client does not expect.
  const auto save = [&](int id, const json& expected) {
    server.send(
        {{"id", id}, {"request", "policy"}, {"policy", before}, {"name", "calm"}, {"expected", expected}});
    return server.answer(id)["changed"].get<bool>();
  };
  CHECK(save(6, {{"content", nullptr}}));
  CHECK(save(7, {{"content", before}}));
  CHECK(read_json(run / "policies/calm.json") == policy);
  CHECK_FALSE(save(8, {{"content", policy}}));
  CHECK(read_json(run / "policies/calm.json") == before);

  server.send({{"id", 5}, {"request", "eval"}, {"policy", policy}});
  CHECK(server.answer(5)["event"] == "result");
  server.send({{"id", 4}, {"request", "bench"}, {"policy", policy}});
  const auto bench = server.answer(4);
  CHECK(read_json(run / "measurements.json").back()["numbers"]["decode_ms"].get<double>() ==
        doctest::Approx(1000 / bench["decode"]["converted_tokens_per_s"].get<double>()));
  check_keys(bench["decode"], {"dense_tokens_per_s", "converted_tokens_per_s", "speedup", "bytes_per_token",
                               "bandwidth_fraction", "predicted_ms"});
  check_keys(bench["prefill"], {"dense_tokens_per_s", "converted_tokens_per_s", "speedup"});
  CHECK(server.close().status == 0);
}

TEST_CASE("bad requests are answered, and serve goes on") {
  const auto run = example_run();
  const auto policy = read_json(run / "policy.json");
  auto foreign = policy, deep = policy, short_one = policy;
  foreign["model"]["fingerprint"] = std::string(32, '0');
  deep["layers"][1] = {{"layer", 1}, {"kind", "top_k"}, {"k", 10}};
  short_one["layers"].erase(2);
  short_one["model"]["layers"] = 2;
  const std::vector<std::pair<json, const char*>> bad = {
      {{{"request", "dance"}}, "dance"},
      {{{"request", 3}}, "request is not a string"},
      {{{"prompt", "x"}}, "request is missing"},
      {{{"request", "generate"}}, "prompt is missing"},
      {{{"request", "generate"}, {"prompt", 1}}, "prompt is not a string"},
      {{{"request", "generate"}, {"prompt", "x"}, {"max_tokens", 0}}, "at least one token"},
      {{{"request", "generate"}, {"prompt", "x"}, {"seed", -1}}, "seed is negative"},
      {{{"request", "generate"}, {"prompt", "x"}, {"sides", {"left"}}}, "left"},
      {{{"request", "generate"}, {"prompt", "x"}, {"speed", 2}}, "speed"},
      {{{"request", "eval"}, {"text", {"nowhere.txt"}}}, "nowhere.txt"},
      {{{"request", "eval"}, {"window", 7}}, "windows of 64"},
      {{{"request", "eval"}, {"tokens", 1000000}}, "1000000"},
      {{{"request", "bench"}, {"policy", foreign}}, "another checkpoint"},
      {{{"request", "bench"}, {"policy", deep}}, "only 9 are routed"},
      {{{"request", "bench"}, {"policy", short_one}}, "2 layers"},
      {{{"request", "bench"}, {"policy", "x"}}, "not a JSON object"},
      {{{"request", "policy"}}, "policy is missing"},
      {{{"request", "policy"}, {"policy", policy}, {"name", "../x"}}, "../x"},
      {{{"request", "policy"}, {"policy", policy}, {"name", ".x"}}, ".x"},
      {{{"request", "policy"}, {"policy", policy}, {"name", ""}}, "name"},
  };
  Server server({run});
  int id = 0;
  for (auto [request, part] : bad) {
    request["id"] = ++id;
    INFO(request.dump());
    server.send(request);
    const auto answer = server.answer(id);
    INFO(answer.dump());
    CHECK(answer["event"] == "error");
    CHECK(answer["message"].get<std::string>().find(part) != std::string::npos);
    CHECK_FALSE(answer["hint"].get<std::string>().empty());
    CHECK_FALSE(answer.contains("canceled"));
  }
  for (const char* line : {"no JSON\n", "[1]\n", "{\"request\":\"eval\"}\n", "\xff\n"}) {
    const auto before = server.events().size();
    server.write(line);
    server.wait_for(
        [&, seen = 0U](const json& event) mutable { return ++seen > before && event["event"] == "error"; });
  }
  server.send({{"id", 99}, {"request", "generate"}, {"prompt", "the"}, {"max_tokens", 1}});
  CHECK(server.answer(99)["event"] == "result");
  CHECK(server.close().status == 0);
}

TEST_CASE("cancel works in the middle of an eval and on a waiting request; other requests go on") {
  const auto run = example_run();
  const auto text = run.parent_path() / "long.txt";
  write_text(text, 3000, 2);
  Server server({run});
  server.send({{"id", 1}, {"request", "eval"}, {"text", {text.string()}}});
  server.send({{"id", 2}, {"request", "eval"}, {"text", {text.string()}}});
  server.send(
      {{"id", 3}, {"request", "generate"}, {"prompt", "the"}, {"max_tokens", 2}, {"sides", {"dense"}}});
  server.wait_for([](const json& event) { return event["event"] == "progress" && event["id"] == 1; });
  server.send({{"request", "cancel"}, {"id", 2}});
  server.send({{"request", "cancel"}, {"id", 1}});
  server.send({{"request", "cancel"}, {"id", 17}});
  for (const int id : {1, 2}) {
    const auto answer = server.answer(id);
    CHECK(answer["event"] == "error");
    CHECK(answer["canceled"] == true);
    CHECK(answer["message"] == "Canceled.");
  }
  CHECK(server.answer(3)["event"] == "result");
  CHECK(server.count(2, "step") == 0);
  CHECK(server.close().status == 0);
  for (int id = 1; id <= 3; ++id) CHECK(server.count(id, "result") + server.count(id, "error") == 1);
}

TEST_CASE("end-of-file on stdin and SIGTERM cancel the request in progress and end serve with status 0") {
  const auto run = example_run();
  const auto text = run.parent_path() / "longer.txt";
  write_text(text, 3000, 3);
  for (const bool signaled : {false, true}) {
    Server server({run});
    server.send({{"id", 1}, {"request", "eval"}, {"text", {text.string()}}});
    server.send({{"id", 2}, {"request", "bench"}});
    server.wait_for([](const json& event) { return event["event"] == "progress"; });
    if (signaled)
      server.process().signal(SIGTERM);
    else
      server.process().close_stdin();
    CHECK(server.process().wait().status == 0);
    for (const int id : {1, 2}) CHECK(server.answer(id)["canceled"] == true);
  }
}

TEST_CASE("serve ends with status 1 when stdout is full") {
  Process server({"serve", example_run()}, {}, "/dev/full");
  const auto finished = server.wait();
  CHECK(finished.status == 1);
  CHECK(finished.err.find("stdout") != std::string::npos);
}

TEST_CASE("a dense model is served without a policy; a folder that holds no model is refused by an event") {
  const auto model = example_run().parent_path() / "model";
  Server server({model});
  server.send({{"id", 1}, {"request", "generate"}, {"prompt", "the"}, {"max_tokens", 2}});
  const auto result = server.answer(1);
  CHECK(result.contains("dense"));
  CHECK_FALSE(result.contains("converted"));
  server.send({{"id", 2}, {"request", "eval"}});
  CHECK(server.answer(2)["message"].get<std::string>().find("no text") != std::string::npos);
  server.send({{"id", 3}, {"request", "eval"}, {"text", {held_out()}}});
  CHECK(server.answer(3)["kl"].is_null());
  CHECK(server.close().status == 0);

  const auto refused = run({"serve", example_run() / "nowhere"});
  CHECK(refused.status == 2);
  CHECK(json::parse(refused.out.substr(0, refused.out.find('\n')))["event"] == "error");
}
