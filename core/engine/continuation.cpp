#include "engine/continuation.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/converted_model.h"
#include "model/generation.h"

namespace ladimo {

nlohmann::json continue_prompt(const GenerationRequest& request, const Runtime& runtime,
                               const Context& context,
                               const std::function<void(const std::string&)>& on_text) {
  if (request.max_tokens < 1 || !(request.temperature >= 0 && std::isfinite(request.temperature)))
    throw Refusal("Generation needs at least one token and a temperature of 0 or more.",
                  "Use for example --max-tokens 100 --temperature 0.8.");
  const auto opened = OpenedModel::open(request.model, request.dense);
  const auto tokenizer = load_tokenizer(opened.checkpoint.folder());
  const WeightSource source(opened.checkpoint, runtime.device,
                            holding_dtype(opened.checkpoint.config(), runtime));
  const bool converted = opened.run && !request.dense_only;
  std::vector<std::shared_ptr<const FeedForward>> ffns;
  if (converted)
    ffns = policy_ffns(run_layers(*opened.run, runtime.device, source.dtype()),
                       opened.policy(request.policy).layers);
  const Decoder decoder(source, ffns);

  std::vector<std::int32_t> prompt;
  if (source.config().bos >= 0) prompt.push_back(static_cast<std::int32_t>(source.config().bos));
  const auto encoded = tokenizer->encode(request.prompt);
  prompt.insert(prompt.end(), encoded.begin(), encoded.end());

  auto tokens = nlohmann::json::array();
  std::string text = request.prompt;
  on_text(text);
  StreamDecoder pieces(*tokenizer);
  for (const auto id : encoded) pieces.add(id);
  generate(decoder, prompt, {request.max_tokens, request.temperature, request.seed}, context,
           [&](const GeneratedToken& token) {
             const auto piece = pieces.add(token.id);
             text += piece;
             on_text(piece);
             context.emit(TokenEvent{converted, piece, token.id, token.experts});
             tokens.push_back({{"id", token.id}, {"text", piece}, {"experts", token.experts}});
           });
  const auto rest = pieces.finish();
  on_text(rest);
  return {{"text", text + rest}, {"tokens", tokens}};
}

}  // namespace ladimo
