#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands.h"
#include "commands/engine_facts.h"

namespace ladimo::cli {

Command add_about(CLI::App&) {
  return [](const Session& session) {
    const EngineFacts facts = engine_facts();
    session.output.result(to_json(facts), [&] {
      fmt::print("ladimo {} · {} · libtorch {} · kernels for {}\n", facts.version, facts.compiler,
                 facts.libtorch, facts.kernels);
      fmt::print("{} · {} threads · {} of memory · {} GPUs\n", facts.processor, facts.threads,
                 format_bytes(static_cast<double>(facts.memory_bytes)), facts.gpus);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
