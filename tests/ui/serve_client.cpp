#include "ui/engine/serve_client.h"

#include <doctest/doctest.h>

#include <QSignalSpy>
#include <QTest>

#include <nlohmann/json.hpp>

#include "example_run.h"
#include "stand_in_engine.h"

using namespace ladimo;
using namespace ladimo::ui;
using ladimo::testing::StandInEngine;
using Kind = Outcome::Kind;

namespace {

constexpr int patience_ms = 20000;

/// A script that answers every line with what `answers`, a shell case, prints for it. `$id` is the number of
/// the request.
std::string serving(const std::string& answers) {
  return R"sh(echo '{"event":"ready"}'
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case "$line" in
)sh" + answers +
         R"sh(
  esac
done)sh";
}

struct Finished {
  int request;
  Outcome outcome;
};

Finished wait_for(QSignalSpy& spy, int count = 1) {
  while (spy.count() < count) REQUIRE(spy.wait(patience_ms));
  return {spy.at(count - 1).at(0).toInt(), spy.at(count - 1).at(1).value<Outcome>()};
}

}  // namespace

TEST_CASE("a request is answered with its number") {
  const StandInEngine engine(serving(R"sh(
    *generate*) echo '{"event":"token","side":"dense","text":" a","token_id":7,"experts":[],"id":'$id'}'
                echo '{"event":"result","dense":{"text":" a"},"id":'$id'}' ;;
    *eval*) echo '{"event":"progress","layer":-1,"done":1,"total":2,"eta_s":null,"id":'$id'}'
            echo '{"event":"result","kl":0.5,"id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  QSignalSpy tokens(&client, &ServeClient::token);
  QSignalSpy progress(&client, &ServeClient::progress);
  CHECK_FALSE(client.busy());
  ServeClient::Generation generation;
  generation.prompt = "Once";
  const int first = client.generate(generation);
  const int second = client.evaluate({});
  CHECK(first != second);
  CHECK(client.busy());
  const auto [request, outcome] = wait_for(finished);
  CHECK(client.loaded());
  CHECK(request == first);
  CHECK(outcome.output == R"({"dense":{"text":" a"}})");
  REQUIRE(tokens.count() == 1);
  CHECK(tokens.at(0).at(0).toInt() == first);
  const auto token = tokens.at(0).at(1).value<TokenEvent>();
  CHECK(token.text == " a");
  CHECK(token.id == 7);
  CHECK_FALSE(token.converted);
  CHECK(wait_for(finished, 2).outcome.output == R"({"kl":0.5})");
  CHECK(progress.count() == 1);
  CHECK_FALSE(client.busy());
}

TEST_CASE("requests hold what the engine needs") {
  const StandInEngine engine(serving(R"sh(
    *) printf '{"event":"result","asked":%s,"id":%s}\n' "$line" "$id" ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  const auto asked = [&](int count) {
    const QByteArray output = wait_for(finished, count).outcome.output;
    return nlohmann::json::parse(output.toStdString())["asked"];
  };
  ServeClient::Generation generation;
  generation.prompt = "It's \"so\"";
  generation.max_tokens = 5;
  generation.converted = false;
  client.generate(generation);
  auto json = asked(1);
  CHECK(json["request"] == "generate");
  CHECK(json["prompt"] == "It's \"so\"");
  CHECK(json["sides"] == nlohmann::json({"dense"}));
  CHECK(json["max_tokens"] == 5);
  CHECK_FALSE(json.contains("policy"));
  client.evaluate({testing::example_policy(), {"a.txt"}, 1000, {"q.jsonl"}, true});
  json = asked(2);
  CHECK(json["text"] == nlohmann::json({"a.txt"}));
  CHECK(json["tokens"] == 1000);
  CHECK(json["tasks"] == nlohmann::json({"q.jsonl"}));
  CHECK(json["tasks_only"] == true);
  CHECK(json["policy"] == to_json(testing::example_policy()));
  client.evaluate({});
  for (const char* key : {"text", "tasks", "tasks_only"}) CHECK_FALSE(asked(3).contains(key));
  client.bench({});
  CHECK(asked(4)["request"] == "bench");
  client.save_policy(testing::example_policy(), "calm");
  CHECK(asked(5)["name"] == "calm");
  client.save_policy(testing::example_policy());
  CHECK_FALSE(asked(6).contains("name"));
}

TEST_CASE("a refused and a canceled request leave the others alone") {
  const StandInEngine engine(serving(R"sh(
    *cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":'$id'}' ;;
    *bench*) echo '{"event":"error","message":"No policy.","hint":"Make one.","path":"","id":'$id'}' ;;
    *generate*) echo '{"event":"result","id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  const int measured = client.evaluate({});
  client.cancel(measured);
  client.cancel(99);
  const int benched = client.bench({});
  client.generate({});
  const auto canceled = wait_for(finished);
  CHECK(canceled.request == measured);
  CHECK(canceled.outcome.kind == Kind::canceled);
  const auto refused = wait_for(finished, 2);
  CHECK(refused.request == benched);
  CHECK(refused.outcome.kind == Kind::refused);
  CHECK(refused.outcome.sentence == "No policy.");
  CHECK(refused.outcome.hint == "Make one.");
  CHECK(wait_for(finished, 3).outcome.done());
}

TEST_CASE("a process that dies fails every waiting request, and the next one starts it again") {
  const StandInEngine engine(serving(R"sh(
    *bench*) kill -KILL $$ ;;
    *generate*) echo '{"event":"result","id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  client.bench({});
  client.bench({});
  CHECK(wait_for(finished, 2).outcome.kind == Kind::killed);
  CHECK(finished.at(0).at(1).value<Outcome>().kind == Kind::killed);
  CHECK_FALSE(client.busy());
  CHECK_FALSE(client.loaded());
  client.generate({});
  CHECK(wait_for(finished, 3).outcome.done());
  CHECK(client.loaded());
}

TEST_CASE("a model that cannot be loaded says why") {
  const StandInEngine engine(StandInEngine::complaining("There is no run.", "Make one.", 2));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  client.bench({});
  const auto [request, outcome] = wait_for(finished);
  CHECK(outcome.kind == Kind::refused);
  CHECK(outcome.sentence == "There is no run.");
  ServeClient missing(Engine{"/nonexistent/ladimo", {}}, "some/run");
  QSignalSpy not_started(&missing, &ServeClient::finished);
  missing.bench({});
  CHECK(wait_for(not_started).outcome.kind == Kind::missing);
}

TEST_CASE("warnings of the engine come with the end of the request") {
  const StandInEngine engine(serving(R"sh(
    *eval*) echo '{"event":"warning","message":"The measurement is not kept.","hint":"Make room.","id":'$id'}'
            echo '{"event":"result","id":'$id'}' ;;
    *bench*) echo '{"event":"result","id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  client.evaluate({});
  client.bench({});
  CHECK(wait_for(finished).outcome.warning == "The measurement is not kept. Make room.");
  CHECK(wait_for(finished, 2).outcome.warning.isEmpty());
}

TEST_CASE("a request says what it waits for") {
  const StandInEngine engine(serving(R"sh(
    *cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  QSignalSpy moved_up(&client, &ServeClient::moved_up);
  const int first = client.generate({}), second = client.bench({});
  CHECK(client.waits_for(first).contains("loading the model"));
  REQUIRE((moved_up.count() > 0 || moved_up.wait(patience_ms)));
  CHECK(client.waits_for(first).isEmpty());
  CHECK(client.waits_for(second).contains("earlier request"));
  client.cancel(first);
  wait_for(finished);
  CHECK(moved_up.count() == 2);
  CHECK(client.waits_for(second).isEmpty());
}

TEST_CASE("while the model is loading a request is canceled at once, and the next request starts a process") {
  const StandInEngine engine(R"sh(if [ ! -e "$0.again" ]; then
  sleep 60 & trap 'kill $!; exit 0' TERM
  touch "$0.again"
  wait
  exit 0
fi
)sh" + serving("*) echo '{\"event\":\"result\",\"id\":'$id'}' ;;"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  const int first = client.bench({});
  REQUIRE(QTest::qWaitFor([&] { return std::filesystem::exists(engine.folder() / "ladimo.again"); },
                          patience_ms));
  client.cancel(first);
  REQUIRE(finished.count() == 1);
  CHECK(finished.at(0).at(1).value<Outcome>().kind == Kind::canceled);
  CHECK_FALSE(client.busy());
  const int second = client.bench({});
  const auto answered = wait_for(finished, 2);
  CHECK(answered.request == second);
  CHECK(answered.outcome.done());
}

TEST_CASE("a request that is canceled while the model is loading leaves the others alone") {
  const StandInEngine engine("sleep 0.3\n" + serving(R"sh(
    *cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":'$id'}' ;;
    *generate*) echo '{"event":"result","id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  client.cancel(client.bench({}));
  const int second = client.generate({});
  CHECK(wait_for(finished).outcome.kind == Kind::canceled);
  CHECK(wait_for(finished, 2).request == second);
  CHECK(finished.count() == 2);
}

TEST_CASE("an original that was moved is asked for, and its new folder is passed to the next process") {
  const StandInEngine engine(R"sh(case "$*" in *--dense*) ;; *) )sh" +
                             StandInEngine::complaining("The original model of this run cannot be opened.",
                                                        "Use the folder where it is now with {dense}.", 2) +
                             " ;; esac\nargs=\"$*\"\n" +
                             serving(R"sh(*) echo '{"event":"result","args":"'"$args"'","id":'$id'}' ;;)sh"));
  ServeClient client(engine.engine(), "some/run");
  QSignalSpy finished(&client, &ServeClient::finished);
  client.bench({});
  CHECK(wait_for(finished).outcome.original_missing);
  client.set_original("elsewhere/model");
  client.bench({});
  const auto [request, outcome] = wait_for(finished, 2);
  CHECK(outcome.output.contains("serve some/run --dense elsewhere/model"));
  CHECK_FALSE(outcome.original_missing);
}
