// Templates in the part of Jinja that chat templates use, rendered as Hugging Face renders them: trim_blocks
// and lstrip_blocks, tojson without escapes for HTML, `generation`, `break` and `continue`, raise_exception()
// and strftime_now(). What else Jinja has is refused by name where it is met. A hostile template ends: depth,
// work and size are bounded.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ladimo::jinja {

class Template {
 public:
  /// Reads a template. Throws Refusal: what is wrong, by name, and its line. `source` must be UTF-8.
  explicit Template(std::string_view source);
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// The text for these `variables`, a JSON object. `now` is the time that strftime_now() gives. Throws
  /// Refusal: what is wrong or not supported, by name, and its line, or what the template refuses itself.
  std::string render(const nlohmann::ordered_json& variables, std::chrono::sys_seconds now) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace ladimo::jinja
