#include "run/continuation.h"

#include "base/json_fields.h"

namespace ladimo {

nlohmann::json to_json(const Continuation& continuation) {
  auto tokens = nlohmann::json::array();
  for (const Continuation::Token& token : continuation.tokens)
    tokens.push_back({{"id", token.id}, {"text", token.text}, {"experts", token.experts}});
  return {{"text", continuation.text},
          {"tokens", std::move(tokens)},
          {"tokens_per_s", continuation.tokens_per_s}};
}

Continuation continuation_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "continuation");
  Continuation continuation{fields.text("text"), {}, fields.number("tokens_per_s")};
  for (const JsonFields& token : fields.objects("tokens"))
    continuation.tokens.push_back({token.small("id"), token.text("text"), token.smalls("experts")});
  return continuation;
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
