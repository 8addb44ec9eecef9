#include "commands/continuation.h"

#include <cmath>

#include "base/work.h"

namespace ladimo {
namespace {

/// The time of the first token includes reading the prompt, so only the tokens after it count.
double tokens_per_second(std::size_t tokens, double first_s, double last_s) {
  if (tokens < 2 || last_s <= first_s) return last_s > 0 ? static_cast<double>(tokens) / last_s : 0;
  return static_cast<double>(tokens - 1) / (last_s - first_s);
}

}  // namespace

void require_valid(const Sampling& sampling) {
  if (sampling.max_tokens < 1 || !(sampling.temperature >= 0 && std::isfinite(sampling.temperature)))
    throw Refusal("Generation needs at least one token and a temperature of 0 or more.",
                  "For example {max_tokens} 100 {temperature} 0.8.");
}

Continuation continue_prompt(const LoadedModel& model, const ModelPolicy& policy, bool converted,
                             const std::string& prompt, const Sampling& sampling, const Context& context,
                             const std::function<void(const std::string&)>& on_text) {
  require_valid(sampling);
  const auto decoder = model.decoder(policy);
  std::vector<std::int32_t> ids;
  if (model.tokenizer().bos() >= 0) ids.push_back(model.tokenizer().bos());
  const auto encoded = model.tokenizer().encode(prompt);
  ids.insert(ids.end(), encoded.begin(), encoded.end());

  Continuation result;
  const auto say = [&](const std::string& piece) {
    result.text += piece;
    if (on_text) on_text(piece);
  };
  say(prompt);
  StreamDecoder pieces(model.tokenizer());
  pieces.follow(encoded);
  const WorkMeter watch;
  double first_s = 0, last_s = 0;
  generate(decoder, ids, sampling, context, [&](const GeneratedToken& token) {
    last_s = watch.seconds();
    if (result.tokens.empty()) first_s = last_s;
    const auto piece = pieces.add(token.id);
    say(piece);
    context.emit(TokenEvent{converted, piece, token.id, token.experts});
    result.tokens.push_back({token.id, piece, token.experts});
  });
  say(pieces.finish());
  result.tokens_per_s = tokens_per_second(result.tokens.size(), first_s, last_s);
  return result;
}

}  // namespace ladimo
