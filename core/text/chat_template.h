// Conversations as the text that a model was trained on: the chat template that comes with a checkpoint.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/model_files.h"
#include "jinja/template.h"

namespace ladimo {

class ChatTemplate {
 public:
  /// Reads the template of a model: chat_template.jinja, else `chat_template` of tokenizer_config.json (a
  /// text, or a list of named ones of which `default` counts), else of chat_template.json. What is wrong with
  /// it is said in problem(): a model whose template cannot be used is as good as any for text.
  explicit ChatTemplate(const ModelFiles& files);

  /// Why conversations cannot be rendered: there is no template, or it cannot be read.
  const std::optional<Problem>& problem() const { return problem_; }

  /// The text of a conversation, a JSON object of conversation_in(), as apply_chat_template(tokenize=False)
  /// of transformers gives it. strftime_now() always gives 26 July 2024, the date of Llama 3's templates
  /// where there is no clock, because the same file must give the same text tomorrow. Throws Refusal: what
  /// the template refuses or what it needs that is not supported. Precondition: there is no problem().
  std::string render(const nlohmann::ordered_json& conversation) const;

 private:
  void read(const ModelFiles& files);

  std::optional<jinja::Template> template_;
  std::optional<std::string> bos_, eos_;  // spellings that the template may name
  std::optional<Problem> problem_;
};

/// The conversation in a JSON object, as `messages` (role, content) and `tools`: those of the object, or made
/// from `conversations` (from, value) of ShareGPT. Null when the object has neither. Throws Refusal without a
/// file when there is a conversation that is not of this form.
nlohmann::ordered_json conversation_in(const nlohmann::ordered_json& object);

}  // namespace ladimo
