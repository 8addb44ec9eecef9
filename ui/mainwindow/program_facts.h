// Versions and machine, as About and the diagnostics report tell them.
#pragma once

#include <functional>
#include <optional>

#include "run/engine_facts.h"
#include "ui/engine/engine.h"
#include "ui/models/fact.h"

class QObject;

namespace ladimo::ui {

/// Of this program and the libraries of the window.
Facts versions_of_studio();
Facts versions_of(const EngineFacts& engine);
/// The system, the screens, and how the window is drawn.
Facts machine_of_studio();
Facts machine_of(const EngineFacts& engine);

/// What the engine answers, or why it does not.
struct EngineAnswer {
  std::optional<EngineFacts> facts;
  QString why_not;
};
/// Asks the engine in the background; calls `done` once, unless `owner` is destroyed first.
void ask_engine(const Engine& engine, QObject& owner, std::function<void(const EngineAnswer&)> done);

}  // namespace ladimo::ui
