#include "text/chat_template.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_fields.h"
#include "base/utf8.h"
#include "text/tokenizer_settings.h"

namespace ladimo {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* hint =
    "Give text, as plain text or as JSON Lines like {\"text\": \"...\"}, or a model with a chat template "
    "(chat_template.jinja, or chat_template in tokenizer_config.json).";

struct Source {
  std::string text;
  std::string file;  // its name
};

/// The templates of a model. `with_tools`: the one for conversations with tools, where that is another one.
struct Sources {
  std::optional<Source> usual, with_tools;
};

/// The templates under `chat_template` of a JSON file; none where the file or the key is absent.
Sources sources_in(const ModelFiles& files, const std::string& name) {
  if (!files.has(name)) return {};
  const nlohmann::json json = files.read_json(name);
  if (!json.is_object() || !json.contains("chat_template") || json["chat_template"].is_null()) return {};
  const auto& found = json["chat_template"];
  const auto refuse = [&](const char* what) -> Refusal {
    return Refusal(fmt::format("{}: chat_template {}.", name, what), hint, files.path(name));
  };
  Sources sources;
  if (found.is_string()) {
    sources.usual = Source{found.get<std::string>(), name};
    return sources;
  }
  if (!found.is_array()) throw refuse("must be a text or a list of named templates");
  for (const auto& entry : found) {
    const bool named = entry.is_object() && entry.contains("name") && entry["name"].is_string() &&
                       entry.contains("template") && entry["template"].is_string();
    if (!named) throw refuse("has an entry without `name` and `template`");
    if (entry["name"] == "default") sources.usual = Source{entry["template"].get<std::string>(), name};
    if (entry["name"] == "tool_use") sources.with_tools = Source{entry["template"].get<std::string>(), name};
  }
  if (!sources.usual) throw refuse("has no template with the name `default`");
  return sources;
}

Sources sources_of(const ModelFiles& files) {
  const auto file = [&](const std::string& name) -> std::optional<Source> {
    if (!files.has(name)) return std::nullopt;
    return Source{files.read(name), name};
  };
  if (auto usual = file("chat_template.jinja"))
    return {std::move(usual), file("additional_chat_templates/tool_use.jinja")};
  for (const char* name : {"tokenizer_config.json", "chat_template.json"})
    if (auto sources = sources_in(files, name); sources.usual) return sources;
  return {};
}

jinja::Template parsed(const Source& source, const ModelFiles& files) {
  return naming_file(files.path(source.file), [&] {
    if (find_invalid_utf8(source.text)) throw Refusal("The chat template is not UTF-8 text.", hint);
    return jinja::Template(source.text);
  });
}

/// The messages as transformers hands them to a template: keys that are null are left out, and what a model
/// thinks is found under both of its names.
Json normal_messages(const Json& messages) {
  Json normal = Json::array();
  for (const Json& message : messages) {
    Json thinking;
    for (const char* key : {"reasoning_content", "thinking", "reasoning"})
      if (thinking.is_null() && message.contains(key)) thinking = message[key];
    Json kept = Json::object();
    if (!thinking.is_null()) kept["thinking"] = thinking;
    for (const auto& [key, value] : message.items())
      if (!value.is_null()) kept[key] = value;
    if (!thinking.is_null()) kept["reasoning_content"] = thinking;
    normal.push_back(std::move(kept));
  }
  return normal;
}

[[noreturn]] void refuse_form(const std::string& what) {
  throw Refusal(what,
                "A conversation is a list like [{\"role\": \"user\", \"content\": \"...\"}, ...] under "
                "`messages`, or one of `from` and `value` under `conversations`.");
}

/// ShareGPT's names of those who speak.
std::string role_of(const std::string& name) {
  if (name == "human" || name == "user") return "user";
  if (name == "gpt" || name == "chatgpt" || name == "assistant" || name == "model") return "assistant";
  if (name == "system" || name == "tool") return name;
  refuse_form(fmt::format("\"{}\" is not a known role in a conversation.", shortened(name, 40)));
}

/// The value of a key that must be a text.
const std::string& text_at(const Json& message, const char* key) {
  if (!message.contains(key) || !message[key].is_string())
    refuse_form(fmt::format("A message has no text under `{}`.", key));
  return message[key].get_ref<const std::string&>();
}

Json messages_of_pairs(const Json& pairs) {
  Json messages = Json::array();
  for (const Json& pair : pairs)
    messages.push_back({{"role", role_of(text_at(pair, "from"))}, {"content", text_at(pair, "value")}});
  return messages;
}

}  // namespace

ChatTemplateTexts chat_template_texts(const ModelFiles& files) {
  const auto sources = sources_of(files);
  const auto text = [](const std::optional<Source>& source) {
    return source ? std::optional(source->text) : std::nullopt;
  };
  return {text(sources.usual), text(sources.with_tools)};
}

ChatTemplate::ChatTemplate(const ModelFiles& files) {
  try {
    read(files);
  } catch (const Refusal& refusal) {
    problem_ = refusal.problem();
  }
}

void ChatTemplate::read(const ModelFiles& files) {
  const auto sources = sources_of(files);
  if (!sources.usual)
    throw Refusal("The model has no chat template.", hint, files.path("tokenizer_config.json"));
  template_ = parsed(*sources.usual, files);
  special_ = read_tokenizer_settings(files).special;
  if (!sources.with_tools) return;
  try {
    with_tools_ = parsed(*sources.with_tools, files);
  } catch (const Refusal& refusal) {
    problem_with_tools_ = refusal.problem();  // conversations without tools do not need it
  }
}

std::string ChatTemplate::render(const Json& conversation) const {
  using namespace std::chrono_literals;
  constexpr auto date = std::chrono::sys_days(2024y / std::chrono::July / 26);
  Json variables = {{"messages", normal_messages(conversation["messages"])},
                    {"tools", conversation["tools"]},
                    {"documents", nullptr},
                    {"add_generation_prompt", false}};
  // A tokenizer without such a token does not define the name, and the template prints nothing for it.
  for (const auto& [name, spelling] : special_) variables[name] = spelling;
  const bool has_tools = !conversation["tools"].is_null();
  if (has_tools && problem_with_tools_) throw Refusal(*problem_with_tools_);
  return (has_tools && with_tools_ ? *with_tools_ : *template_).render(variables, date);
}

Json conversation_in(const Json& object) {
  const bool has_messages = object.contains("messages");
  if (!has_messages && !object.contains("conversations")) return nullptr;
  const Json& list = object[has_messages ? "messages" : "conversations"];
  if (!list.is_array() || list.empty()) refuse_form("The conversation is not a list of messages.");
  for (const Json& message : list) {
    if (!message.is_object()) refuse_form("A message is not a JSON object.");
    if (has_messages) text_at(message, "role");
  }
  const Json tools = object.contains("tools") && object["tools"].is_array() ? object["tools"] : Json();
  return {{"messages", has_messages ? list : messages_of_pairs(list)}, {"tools", tools}};
}

}  // namespace ladimo
