#include "jinja/template.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"
#include "jinja/parser.h"
#include "jinja/renderer.h"

namespace ladimo::jinja {
namespace {

constexpr const char* hint =
    "Put a template that does without it in chat_template.jinja, or give the text as it is to be read.";

Refusal refusal(int line, const char* what) {
  return Refusal(fmt::format("Line {} of the chat template: {}.", line, what), hint);
}

/// What a template says, as a sentence of bounded length.
std::string sentence(std::string_view said) {
  std::string text = shortened(said, 300);
  if (text.empty()) text = "it gives no reason";
  if (!text.ends_with('.') && !text.ends_with('?') && !text.ends_with('!')) text += '.';
  return text;
}

}  // namespace

struct Template::Content {
  Block block;
};

Template::Template(std::string_view source) {
  try {
    content_ = std::make_unique<Content>(Content{parse(source)});
  } catch (const SyntaxFailure& failure) {
    throw refusal(failure.line(), failure.what());
  }
}

Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

std::string Template::render(const nlohmann::ordered_json& variables, std::chrono::sys_seconds now) const {
  Renderer renderer(now);
  try {
    return renderer.run(content_->block, variables);
  } catch (const Raised& raised) {
    throw Refusal(fmt::format("The chat template refuses the conversation: {}", sentence(raised.what())),
                  "Leave the conversation out, or give it the roles and the order that the model expects.");
  } catch (const Failure& failure) {
    throw refusal(renderer.line(), failure.what());
  }
}

}  // namespace ladimo::jinja
