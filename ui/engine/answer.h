// The results that the engine sends.
#pragma once

#include <string>

#include <QByteArray>

#include <nlohmann/json_fwd.hpp>

#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Throws a Refusal that says what is wrong with an answer and that the two programs may not belong together.
[[noreturn]] void refuse_answer(const std::string& message);
/// Parses the result of a command. Throws Refusal when it is not JSON.
nlohmann::json parse_answer(const QByteArray& answer);
/// The measurement of an evaluation that `serve` has done. Throws Refusal when there is none.
const Measurement& measurement_in(const Outcome& outcome);

}  // namespace ladimo::ui
