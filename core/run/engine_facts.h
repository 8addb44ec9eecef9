// The result of `ladimo about`: versions, and what of the machine the engine uses.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

struct EngineFacts {
  std::string version;             // of this program
  std::string compiler;            // that built it
  std::string libtorch;            // the version that it was built with
  std::string kernels;             // the best instruction set that this processor and the kernels share
  std::string processor;           // as the system names it
  int threads = 0;                 // that a command uses where none are asked for
  std::uint64_t memory_bytes = 0;  // of the whole machine
  int gpus = 0;                    // that libtorch can use
};

/// Returns an object with a key for every member.
nlohmann::json to_json(const EngineFacts& facts);
/// Reads what to_json() writes. Throws Refusal that names the key.
EngineFacts engine_facts_from_json(const nlohmann::json& json);

}  // namespace ladimo
