#include "ui/engine/answer.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/event_json.h"

namespace ladimo::ui {

void refuse_answer(const std::string& message) {
  throw Refusal(message, "Engine and window may have different versions. Install them together.");
}

nlohmann::json parse_answer(const QByteArray& answer) {
  return parse_output({answer.constData(), static_cast<std::size_t>(answer.size())});
}

const Measurement& measurement_in(const Outcome& outcome) {
  if (!outcome.measurement) refuse_answer("The engine returned no measurement.");
  return *outcome.measurement;
}

}  // namespace ladimo::ui
