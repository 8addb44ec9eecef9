// Conversations as the text that a model was trained on: the chat template that comes with a checkpoint.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "base/model_files.h"
#include "jinja/template.h"

namespace ladimo {

/// The templates of a model as they are written.
struct ChatTemplateTexts {
  std::optional<std::string> usual;
  std::optional<std::string> with_tools;  // for conversations with tools, where that is another one
};

/// Reads the template of a model: chat_template.jinja, else `chat_template` of tokenizer_config.json (a text,
/// or a list of named ones, of which `default` and `tool_use` count), else of chat_template.json. Beside
/// chat_template.jinja, additional_chat_templates/tool_use.jinja is `tool_use`. Throws Refusal that names the
/// file.
ChatTemplateTexts chat_template_texts(const ModelFiles& files);

class ChatTemplate {
 public:
  /// Reads the template of a model, where chat_template_texts() finds it. What is wrong with it is said in
  /// problem(): a model whose template cannot be used is as good as any for text.
  explicit ChatTemplate(const ModelFiles& files);

  /// Why conversations cannot be rendered: there is no template, or it cannot be read.
  const std::optional<Problem>& problem() const { return problem_; }

  /// The text of a conversation, a JSON object of conversation_in(), as apply_chat_template(tokenize=False)
  /// of transformers gives it: by the template `tool_use`, if there is one, where the conversation has tools.
  /// strftime_now() always gives 26 July 2024, the date of Llama 3's templates
  /// where there is no clock, because the same file must give the same text tomorrow. Throws Refusal: what
  /// the template refuses or what it needs that is not supported. Precondition: there is no problem().
  std::string render(const nlohmann::ordered_json& conversation) const;

 private:
  void read(const ModelFiles& files);

  std::optional<jinja::Template> template_, with_tools_;
  std::map<std::string, std::string> special_;  // spellings of tokens that the template may name
  std::optional<Problem> problem_, problem_with_tools_;
};

/// The conversation in a JSON object, as `messages` (role, content) and `tools`: those of the object, or made
/// from `conversations` (from, value) of ShareGPT. Null when the object has neither. Throws Refusal without a
/// file when there is a conversation that is not of this form.
nlohmann::ordered_json conversation_in(const nlohmann::ordered_json& object);

}  // namespace ladimo
