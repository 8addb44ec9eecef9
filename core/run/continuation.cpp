#include "run/continuation.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<Continuation::Token> {
  static constexpr std::tuple all{Member{"id", &Continuation::Token::id},
                                  Member{"text", &Continuation::Token::text},
                                  Member{"experts", &Continuation::Token::experts}};
};

template <>
struct Members<Continuation> {
  static constexpr std::tuple all{Member{"text", &Continuation::text},
                                  Member{"tokens", &Continuation::tokens},
                                  Member{"tokens_per_s", &Continuation::tokens_per_s}};
};

nlohmann::json to_json(const Continuation& continuation) { return members_to_json(continuation); }

Continuation continuation_from_json(const nlohmann::json& json) {
  return members_from_json<Continuation>(JsonFields(json, "continuation"));
}

nlohmann::json to_json(const Continuations& continuations) {
  auto json = nlohmann::json::object();
  if (continuations.dense) json["dense"] = to_json(*continuations.dense);
  if (continuations.converted) json["converted"] = to_json(*continuations.converted);
  return json;
}

Continuations continuations_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "answer");
  Continuations continuations;
  if (fields.has("dense")) continuations.dense = continuation_from_json(fields.at("dense"));
  if (fields.has("converted")) continuations.converted = continuation_from_json(fields.at("converted"));
  return continuations;
}

}  // namespace ladimo
