#include "run/event_json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "policy/histogram.h"
#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;

namespace {

HistogramEvent small_histogram() {
  HistogramEvent histogram{2, HistogramCounts(histogram_bins + 2), {0.25, 0.75}};
  histogram.counts[1] = 5;
  return histogram;
}

std::string histogram_line() {
  std::string counts = "0,5";
  for (int bin = 2; bin < histogram_bins + 2; ++bin) counts += ",0";
  return R"({"event":"histogram","layer":2,"edges_id":"log10:-4:1:256","counts":[)" + counts +
         R"(],"expert_load":[0.25,0.75]})";
}

// Other programs read these lines: a change here is a change of the format.
const std::pair<Event, std::string> golden[] = {
    {StepEvent{"layers", 1, 6}, R"({"event":"step","name":"layers","index":1,"count":6})"},
    {ProgressEvent{3, 10, 96, 4.5}, R"({"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.5})"},
    {ProgressEvent{-1, 0, 96, -1}, R"({"event":"progress","layer":-1,"done":0,"total":96,"eta_s":null})"},
    {LossEvent{3, 7, 0.125, true}, R"({"event":"loss","layer":3,"step":7,"value":0.125,"held_out":true})"},
    {small_histogram(), histogram_line()},
    {SampleEvent{0, {-1, 0, 1, 0}}, R"({"event":"sample","layer":0,"partition":[-1,0,1,0]})"},
    {LayerEvent{3, 0.5, 0.25, 1.5},
     R"({"event":"layer","layer":3,"loss_before":0.5,"loss_after":0.25,"seconds":1.5})"},
    {TokenEvent{true, " upon", 2501, {-1, 12}},
     R"({"event":"token","side":"converted","text":" upon","id":2501,"experts":[-1,12]})"},
    {TokenEvent{false, "\"é\n", 5, {}},
     R"({"event":"token","side":"dense","text":"\"é\n","id":5,"experts":[]})"},
    {MeasureEvent{R"({"kl":0.03,"tokens":512})"}, R"({"event":"measure","kl":0.03,"tokens":512})"},
    {WarningEvent{"The disk is slow.", "Wait."},
     R"({"event":"warning","message":"The disk is slow.","hint":"Wait.","setting":null,"advice":"Wait."})"},
    {ErrorEvent{"The disk is full.", "Choose another folder with {run}.", "/run"},
     R"({"event":"error","message":"The disk is full.","hint":"Choose another folder with -o.","path":"/run",)"
     R"("setting":"run","advice":"Choose another folder with {run}."})"},
    {ResultEvent{R"({"seconds":2.5,"layers":[]})"}, R"({"event":"result","seconds":2.5,"layers":[]})"},
    {ProgressEvent{3, 10, 96, 4.5, "refit"},
     R"({"event":"progress","layer":3,"done":10,"total":96,"eta_s":4.5,"what":"refit"})"},
    {ErrorEvent{"Canceled.", "", "", true},
     R"({"event":"error","message":"Canceled.","hint":"","path":"","setting":null,"advice":"","canceled":true})"},
    {ReadyEvent{}, R"({"event":"ready"})"},
};

}  // namespace

TEST_CASE("every event is written as its line and read back from it") {
  for (const auto& [event, line] : golden) {
    CHECK(to_json_line(event) == line);
    const Event read = parse_event(line);
    CHECK(read.index() == event.index());
    CHECK(to_json_line(read) == line);
  }
  CHECK(std::size(golden) >= std::variant_size_v<Event>);
}

TEST_CASE("values survive a round trip") {
  const auto token = std::get<TokenEvent>(parse_event(golden[8].second));
  CHECK_FALSE(token.converted);
  CHECK(token.text == "\"é\n");
  CHECK(std::get<ProgressEvent>(parse_event(golden[2].second)).eta_s == -1);
  CHECK(std::get<HistogramEvent>(parse_event(golden[4].second)).counts == small_histogram().counts);
  CHECK(std::get<ResultEvent>(parse_event(golden[12].second)).json == R"({"seconds":2.5,"layers":[]})");
}

TEST_CASE("events of a request carry its number; a token keeps its own beside it") {
  const std::string line = to_json_line(TokenEvent{true, " upon", 2501, {3}}, 7);
  CHECK(line ==
        R"({"event":"token","side":"converted","text":" upon","id":7,"experts":[3],"token_id":2501})");
  CHECK(std::get<TokenEvent>(parse_event(line)).id == 2501);
  CHECK(parse_event_line(line).request == 7);
  CHECK_FALSE(parse_event_line(golden[7].second).request);
  CHECK(to_json_line(ReadyEvent{}, 3) == R"({"event":"ready","id":3})");
  const std::string measure = to_json_line(MeasureEvent{R"({"kl":0.5})"}, 4);
  CHECK(measure == R"({"event":"measure","kl":0.5,"id":4})");
  CHECK(parse_event_line(measure).request == 4);
  CHECK(std::get<MeasureEvent>(parse_event(measure)).json == R"({"kl":0.5})");
}

TEST_CASE("an incomplete UTF-8 character does not break the line") {
  const std::string line = to_json_line(TokenEvent{true, "\xC3", 1, {}});
  CHECK(std::get<TokenEvent>(parse_event(line)).text == "\xEF\xBF\xBD");
}

TEST_CASE("an error of an older engine has no advice; its hint is used instead") {
  const auto event = parse_event(R"({"event":"warning","message":"Slow.","hint":"Use fewer --tokens."})");
  CHECK(std::get<WarningEvent>(event).hint == "Use fewer --tokens.");
}

TEST_CASE("output of the engine that is not JSON is refused") {
  CHECK(parse_output("{\"a\": 1}")["a"] == 1);
  CHECK_THROWS_AS(parse_output("Segmentation fault"), Refusal);
}

TEST_CASE("lines that are no events are refused with the line") {
  const std::pair<const char*, const char*> bad[] = {
      {"", "This line is not an event: "},
      {"Segmentation fault", "This line is not an event: Segmentation fault"},
      {"[1]", "it is not a JSON object"},
      {R"({"name":"x"})", "event is missing"},
      {R"({"event":"party"})", "event names no kind of event"},
      {R"({"event":"step","name":"x","index":0})", "count is missing"},
      {R"({"event":"loss","layer":0,"step":1,"value":"low","held_out":true})", "value is not a number"},
      {R"({"event":"histogram","layer":0,"edges_id":"x","counts":[],"expert_load":[]})",
       "edges_id has other bins"},
      {R"({"event":"histogram","layer":0,"edges_id":"log10:-4:1:256","counts":[1,2],"expert_load":[]})",
       "counts does not have the bins"},
      {R"({"event":"step","name":"x","index":-1,"count":6})", "index is not one of the steps"},
      {R"({"event":"step","name":"x","index":6,"count":6})", "index is not one of the steps"},
      {R"({"event":"step","name":"x","index":6,"count":2000000000})", "count is more than any plan has"},
      {R"({"event":"sample","layer":0,"partition":[0,7]})", "partition names slices that cannot be"},
      {R"({"event":"sample","layer":0,"partition":[-2,0]})", "partition names slices that cannot be"},
      {R"({"event":"step","name":"x","index":0,"count":6)", "This line is not an event"},
  };
  for (const auto& [line, part] : bad) check_refused(part, [line = line] { parse_event(line); });
}
