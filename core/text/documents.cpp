#include <algorithm>
#include <fstream>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "text/chat_template.h"
#include "text/corpus.h"
#include "text/text_format.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view white_space = " \t\r\n\v\f";

bool is_blank(std::string_view text) { return text.find_first_not_of(white_space) == text.npos; }

// Calls `use(line, number)` for every line, without its end (\n or \r\n); numbers count from 1.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    use(line, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::string> plain_documents(std::string_view text) {
  std::vector<std::string> documents;
  bool inside = false;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    if (is_blank(line)) {
      inside = false;
      return;
    }
    if (inside)
      documents.back().append("\n").append(line);
    else
      documents.emplace_back(line);
    inside = true;
  });
  return documents;
}

using Json = nlohmann::ordered_json;  // a template may print the keys of a message in their order

// What makes texts of the lines or elements of a JSON file.
class JsonReader {
 public:
  JsonReader(const fs::path& file, const ChatTemplate* chat) : file_(file), chat_(chat) {}

  /// The text of a JSON object: its key "text", or its conversation, rendered by the model's chat template.
  /// `where` names the object in refusals.
  std::string text_in(const Json& json, const std::string& where) {
    if (!json.is_object()) refuse(where, "has no key \"text\"");
    if (json.contains("text")) {
      if (!json["text"].is_string()) refuse(where, "has a \"text\" that is not a string");
      return json["text"];
    }
    try {
      const Json conversation = conversation_in(json);
      if (conversation.is_null()) refuse(where, "has no key \"text\" and no \"messages\"");
      met_conversations_ = true;
      return rendered(conversation);
    } catch (const Refusal& refusal) {
      if (!refusal.path().empty()) throw;
      throw Refusal(fmt::format("{} of {}: {}", where, name(), refusal.problem().message), refusal.hint(),
                    file_);
    }
  }

  const fs::path& file() const { return file_; }
  std::string name() const { return file_.filename().string(); }
  /// Whether any text so far was made from a conversation.
  bool met_conversations() const { return met_conversations_; }

 private:
  [[noreturn]] void refuse(const std::string& where, const char* what) const {
    throw Refusal(fmt::format("{} of {} {}.", where, name(), what),
                  "Every line or element must be a JSON object like {\"text\": \"...\"} or {\"messages\": "
                  "[{\"role\": \"user\", \"content\": \"...\"}, ...]}.",
                  file_);
  }

  std::string rendered(const Json& conversation) const {
    if (chat_ == nullptr)
      throw Refusal(
          fmt::format(
              "{} contains conversations, but there is no model whose chat template could render them.",
              name()),
          "Give text, as plain text or as JSON Lines like {\"text\": \"...\"}.", file_);
    if (const auto& problem = chat_->problem())
      throw Refusal(fmt::format("{} contains conversations. {}", name(), problem->message), problem->hint,
                    problem->path.empty() ? file_ : problem->path);
    std::string text = chat_->render(conversation);
    if (text.ends_with('\n')) text.pop_back();  // every document is followed by a line end
    return text;
  }

  const fs::path& file_;
  const ChatTemplate* chat_;
  bool met_conversations_ = false;
};

std::vector<std::string> jsonl_documents(std::string_view text, JsonReader& reader) {
  std::vector<std::string> documents;
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    if (is_blank(line)) return;
    const std::string where = fmt::format("Line {}", number);
    auto document = reader.text_in(
        parse_ordered_json(line, fmt::format("{} of {}", where, reader.name()), reader.file()), where);
    if (!is_blank(document)) documents.push_back(std::move(document));
  });
  return documents;
}

std::vector<std::string> array_documents(const Json& array, JsonReader& reader) {
  std::vector<std::string> documents;
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto document = array[i].is_string() ? array[i].get<std::string>()
                                         : reader.text_in(array[i], fmt::format("Element {}", i + 1));
    if (!is_blank(document)) documents.push_back(std::move(document));
  }
  return documents;
}

// The documents in all `bytes` of a file, or in its first ones.
Beginning documents_in(std::string_view bytes, const fs::path& file, const ChatTemplate* chat) {
  refuse_foreign_text(bytes, file);
  if (const auto invalid = find_invalid_utf8(bytes))
    throw Refusal(fmt::format("{} is not UTF-8 text: error at byte {}.", file.filename().string(), *invalid),
                  "Convert it to UTF-8, e.g. with iconv.", file);
  const std::string_view text = without_mark(bytes);
  const TextFormat format = format_of(text, file);
  JsonReader reader(file, chat);
  auto documents = format == TextFormat::json_lines ? jsonl_documents(text, reader)
                   : format == TextFormat::json_array
                       ? array_documents(parse_ordered_json(text, file.filename().string(), file), reader)
                       : plain_documents(text);
  if (documents.empty())
    throw Refusal(fmt::format("{} contains no text.", file.filename().string()),
                  "Give a file with text in it.", file);
  return {.documents = std::move(documents), .conversations = reader.met_conversations()};
}

}  // namespace

std::vector<std::string> read_documents(const fs::path& file, const ChatTemplate* chat) {
  return documents_in(read_file(file), file, chat).documents;
}

Beginning read_beginning(const fs::path& file, std::size_t bytes, const ChatTemplate* chat) {
  std::error_code unknown;
  const auto all = fs::file_size(file, unknown);
  const auto whole = [&] { return documents_in(read_file(file), file, chat); };
  if (unknown || all <= bytes) return whole();
  std::string head(bytes, '\0');
  std::ifstream in(file, std::ios::binary);
  std::string line;  // the rest of the line that `head` ends in
  if (!in.read(head.data(), static_cast<std::streamsize>(bytes))) return whole();
  if (begins_list(head)) return whole();  // a part of a JSON list cannot be parsed
  if (head.back() != '\n' && std::getline(in, line)) head += line;
  Beginning beginning = documents_in(head, file, chat);
  beginning.share = static_cast<double>(head.size()) / static_cast<double>(all);
  return beginning;
}

}  // namespace ladimo
