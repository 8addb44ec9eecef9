#include "run/event_json.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_fields.h"
#include "base/setting.h"
#include "policy/histogram.h"

namespace ladimo {
namespace {

constexpr const char* different_versions =
    "Engine and window may have different versions. Install them together.";

using Line = nlohmann::ordered_json;  // keeps the order of the keys, because people read these lines too

Line line_of(const StepEvent& e) {
  return {{"event", "step"}, {"name", e.name}, {"index", e.index}, {"count", e.count}};
}
Line line_of(const ProgressEvent& e) {
  Line line{{"event", "progress"},
            {"layer", e.layer},
            {"done", e.done},
            {"total", e.total},
            {"eta_s", e.eta_s < 0 ? Line() : Line(e.eta_s)}};
  if (!e.what.empty()) line["what"] = e.what;
  return line;
}
Line line_of(const LossEvent& e) {
  return {
      {"event", "loss"}, {"layer", e.layer}, {"step", e.step}, {"value", e.value}, {"held_out", e.held_out}};
}
Line line_of(const HistogramEvent& e) {
  return {{"event", "histogram"},
          {"layer", e.layer},
          {"edges_id", histogram_edges_id},
          {"counts", e.counts},
          {"expert_load", e.expert_load}};
}
Line line_of(const SampleEvent& e) {
  return {{"event", "sample"}, {"layer", e.layer}, {"partition", e.partition}};
}
Line line_of(const LayerEvent& e) {
  return {{"event", "layer"},
          {"layer", e.layer},
          {"loss_before", e.loss_before},
          {"loss_after", e.loss_after},
          {"seconds", e.seconds}};
}
Line line_of(const TokenEvent& e) {
  return {{"event", "token"},
          {"side", e.converted ? "converted" : "dense"},
          {"text", e.text},
          {"id", e.id},
          {"experts", e.experts}};
}
void add_advice(Line& line, const std::string& hint) {
  const auto setting = setting_in(hint);
  line["setting"] = setting ? Line(id_of(*setting)) : Line();
  line["advice"] = hint;
}
Line line_of(const WarningEvent& e) {
  Line line{{"event", "warning"}, {"message", e.message}, {"hint", in_words(e.hint, command_line())}};
  add_advice(line, e.hint);
  return line;
}
Line line_of(const ErrorEvent& e) {
  Line line{{"event", "error"},
            {"message", e.message},
            {"hint", in_words(e.hint, command_line())},
            {"path", e.path}};
  add_advice(line, e.hint);
  if (e.canceled) line["canceled"] = true;
  return line;
}
Line line_of(const ReadyEvent&) { return {{"event", "ready"}}; }

/// Returns the kind, followed by the keys of the object that `--json` prints.
Line with_object(const char* kind, const std::string& object) {
  Line line{{"event", kind}};
  line.update(Line::parse(object));
  return line;
}
Line line_of(const MeasureEvent& e) { return with_object("measure", e.json); }
Line line_of(const ResultEvent& e) { return with_object("result", e.json); }

std::string without_kind(std::string_view text) {
  auto line = Line::parse(text);
  line.erase("event");
  line.erase("id");  // the number of a request
  return line.dump();
}

StepEvent step_from(const JsonFields& fields) {
  constexpr int most_steps = 1000;
  const StepEvent step{fields.text("name"), fields.small("index"), fields.small("count")};
  if (step.count > most_steps) fields.refuse("count", "is more than any plan has");
  if (step.index < 0 || step.index >= step.count) fields.refuse("index", "is not one of the steps");
  return step;
}

HistogramEvent histogram_from(const JsonFields& fields) {
  if (fields.text("edges_id") != histogram_edges_id)
    fields.refuse("edges_id", "has other bins than this program");
  HistogramEvent histogram{fields.small("layer"), fields.integers("counts"), fields.numbers("expert_load")};
  if (histogram.counts.size() != histogram_bins + 2)
    fields.refuse("counts", "does not have the bins of this program");
  return histogram;
}

SampleEvent sample_from(const JsonFields& fields) {
  SampleEvent sample{fields.small("layer"), fields.smalls("partition")};
  const auto neurons = static_cast<int>(sample.partition.size());
  if (std::ranges::any_of(sample.partition, [&](int slice) { return slice < -1 || slice >= neurons; }))
    fields.refuse("partition", "names slices that cannot be");
  return sample;
}

Event event_from(const JsonFields& fields, std::string_view text) {
  const std::string kind = fields.text("event");
  if (kind == "step") return step_from(fields);
  if (kind == "progress")
    return ProgressEvent{fields.small("layer"), fields.integer("done"), fields.integer("total"),
                         fields.has("eta_s") ? fields.number("eta_s") : -1,
                         fields.has("what") ? fields.text("what") : std::string()};
  if (kind == "loss")
    return LossEvent{fields.small("layer"), fields.small("step"), fields.number("value"),
                     fields.flag("held_out")};
  if (kind == "histogram") return histogram_from(fields);
  if (kind == "sample") return sample_from(fields);
  if (kind == "layer")
    return LayerEvent{fields.small("layer"), fields.number("loss_before"), fields.number("loss_after"),
                      fields.number("seconds")};
  if (kind == "token")
    return TokenEvent{fields.text("side") == "converted", fields.text("text"),
                      fields.small(fields.has("token_id") ? "token_id" : "id"), fields.smalls("experts")};
  if (kind == "measure") return MeasureEvent{without_kind(text)};
  if (kind == "warning") return WarningEvent{fields.text("message"), advice_from(fields)};
  if (kind == "error")
    return ErrorEvent{fields.text("message"), advice_from(fields), fields.text("path"),
                      fields.has("canceled") && fields.flag("canceled")};
  if (kind == "ready") return ReadyEvent{};
  if (kind == "result") return ResultEvent{without_kind(text)};
  fields.refuse("event", "names no kind of event");
}

}  // namespace

std::string to_json_line(const Event& event, std::optional<std::int64_t> request) {
  Line line = std::visit([](const auto& e) { return line_of(e); }, event);
  if (request) {
    if (std::holds_alternative<TokenEvent>(event)) line["token_id"] = line["id"];
    line["id"] = *request;
  }
  // A token may end in the middle of a character. Its bytes are replaced so that the line stays valid UTF-8.
  return line.dump(-1, ' ', false, Line::error_handler_t::replace);
}

EventLine parse_event_line(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_discarded())
    throw Refusal(fmt::format("This line is not an event: {}", line), "One JSON object a line is expected.");
  try {
    const JsonFields fields(json, "event");
    EventLine found{event_from(fields, line), {}};
    // Without `token_id`, the `id` of a token event is the token's own and not the request's.
    const bool of_token = std::holds_alternative<TokenEvent>(found.event) && !fields.has("token_id");
    if (fields.has("id") && !of_token) found.request = fields.integer("id");
    return found;
  } catch (const Refusal& refusal) {
    throw Refusal(fmt::format("This line is not an event: {} ({})", line, refusal.what()),
                  different_versions);
  }
}

Event parse_event(std::string_view line) { return parse_event_line(line).event; }

nlohmann::json parse_output(std::string_view text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) throw Refusal("The engine's answer cannot be understood.", different_versions);
  return json;
}

}  // namespace ladimo
