#include "run/engine_facts.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<EngineFacts> {
  static constexpr std::tuple all{
      Member{"version", &EngineFacts::version},           Member{"compiler", &EngineFacts::compiler},
      Member{"libtorch", &EngineFacts::libtorch},         Member{"kernels", &EngineFacts::kernels},
      Member{"processor", &EngineFacts::processor},       Member{"threads", &EngineFacts::threads},
      Member{"memory_bytes", &EngineFacts::memory_bytes}, Member{"gpus", &EngineFacts::gpus}};
};

nlohmann::json to_json(const EngineFacts& facts) { return members_to_json(facts); }

EngineFacts engine_facts_from_json(const nlohmann::json& json) {
  return members_from_json<EngineFacts>(JsonFields(json, "facts of the engine"));
}

}  // namespace ladimo
