#include "text/chat_template.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_text.h"
#include "support/byte_tokenizer.h"
#include "support/temporary_folder.h"
#include "text/corpus.h"
#include "text/text_look.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;
using nlohmann::json;
using nlohmann::ordered_json;
namespace fs = std::filesystem;

namespace {

/// The files of a model, in memory.
ModelFiles model(std::map<std::string, std::string> files) { return {"model.gguf", std::move(files)}; }

ModelFiles with_template(const std::string& source) {
  return model(
      {{"tokenizer_config.json",
        json{{"chat_template", source}, {"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}}.dump()}});
}

const std::string simple =
    "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";

std::string problem_of(const ChatTemplate& chat) {
  REQUIRE(chat.problem());
  CHECK_FALSE(chat.problem()->hint.empty());
  return chat.problem()->message;
}

std::string said_of(const std::map<std::string, std::string>& files, const ordered_json& tools = {}) {
  const ChatTemplate chat(model(files));
  return chat.render(
      conversation_in({{"messages", {{{"role", "user"}, {"content", "x"}}}}, {"tools", tools}}));
}

template <class Work>
void check_refusal(Work work, const std::string& sentence) {
  try {
    work();
    FAIL("not refused: " << sentence);
  } catch (const Refusal& refusal) {
    const std::string said = refusal.what();
    CHECK_MESSAGE(said.find(sentence) != std::string::npos, said);
    CHECK_FALSE(refusal.hint().empty());
  }
}

/// Bytes as tokens, with the spelling <s> as the one token 256, and a chat template.
class ChatTokenizer final : public Tokenizer {
 public:
  explicit ChatTokenizer(const std::string& source) : chat_(with_template(source)) {}
  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = text.substr(i).starts_with("<s>");
      ids.push_back(begins ? 256 : text[i]);
      if (begins) i += 2;
    }
    return ids;
  }
  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const auto id : ids)
      if (id < 256) text += static_cast<char>(id);
    return text;
  }
  std::int64_t size() const override { return 257; }
  std::int32_t bos() const override { return 256; }
  std::int32_t eos() const override { return -1; }
  std::string kind() const override { return "bytes"; }
  std::string spelling(std::int32_t id) const override { return {static_cast<char>(id)}; }
  std::string fingerprint() const override { return "chat"; }
  const ChatTemplate* chat_template() const override { return &chat_; }

 private:
  ChatTemplate chat_;
};

constexpr const char* hello =
    R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]})";

}  // namespace

TEST_CASE("conversations are rendered as by transformers, byte for byte") {
  // The templates were written for this project, in the manner of those of LLaMA 2 and 3, Mistral, Qwen and
  // Granite; tests/interop/chat_templates.sh compares real ones. The texts in goldens.json were made with
  // transformers 5.24 and jinja2 3.1.6 (tests/interop/chat_templates.py goldens).
  const fs::path folder = fs::path(LADIMO_TEST_DATA) / "chat_templates";
  const auto conversations =
      parse_ordered_json(read_file(folder / "conversations.json"), "conversations", {});
  const json goldens = read_json(folder / "goldens.json");
  CHECK(goldens.size() == 7);
  for (const auto& [name, texts] : goldens.items()) {
    CAPTURE(name);
    const ChatTemplate chat(with_template(read_file(folder / name)));
    REQUIRE_FALSE(chat.problem());
    REQUIRE(texts.size() == conversations.size());
    for (std::size_t i = 0; i < conversations.size(); ++i) {
      CAPTURE(i);
      const auto conversation = conversation_in(conversations[i]);
      if (texts[i].is_null())
        CHECK_THROWS_AS(chat.render(conversation), Refusal);
      else
        CHECK(chat.render(conversation) == texts[i].get<std::string>());
    }
  }
}

TEST_CASE("the template of a model is found where transformers finds it") {
  const auto in_config = [](const json& value) { return json{{"chat_template", value}}.dump(); };
  CHECK(said_of({{"tokenizer_config.json", in_config("config")}}) == "config");
  CHECK(said_of({{"tokenizer_config.json", in_config("config")}, {"chat_template.jinja", "jinja"}}) ==
        "jinja");
  CHECK(said_of({{"chat_template.json", in_config("json")}}) == "json");
  CHECK(said_of({{"tokenizer_config.json", in_config({{{"name", "tool_use"}, {"template", "tools"}},
                                                      {{"name", "default"}, {"template", "usual"}}})}}) ==
        "usual");
  CHECK(said_of({{"chat_template.jinja", "[{{ bos_token }}{{ eos_token }}]"}}) == "[]");
}

TEST_CASE("conversations with tools have a template of their own where the model has one") {
  const auto named = [](const std::string& with_tools) {
    return json{
        {"chat_template",
         {{{"name", "default"}, {"template", "usual"}}, {{"name", "tool_use"}, {"template", with_tools}}}}}
        .dump();
  };
  const ordered_json tools = {{{"type", "function"}}}, none = ordered_json::array();
  const std::map<std::string, std::string> listed{{"tokenizer_config.json", named("tools")}};
  CHECK(said_of(listed) == "usual");
  CHECK(said_of(listed, tools) == "tools");
  CHECK(said_of(listed, none) == "tools");
  const std::map<std::string, std::string> files{{"chat_template.jinja", "usual"},
                                                 {"additional_chat_templates/tool_use.jinja", "tools"}};
  CHECK(said_of(files) == "usual");
  CHECK(said_of(files, tools) == "tools");
  // One that cannot be read stands in nobody's way who has no tools.
  const std::map<std::string, std::string> broken{{"tokenizer_config.json", named("{% block x %}")}};
  CHECK(said_of(broken) == "usual");
  check_refusal([&] { said_of(broken, tools); }, "the statement `block` is not supported");
}

TEST_CASE("a template may name every special token that the tokenizer's files name") {
  const std::string all =
      "{{ bos_token }}|{{ eos_token }}|{{ unk_token }}|{{ sep_token }}|{{ pad_token }}|{{ cls_token }}|{{ "
      "mask_token }}|{{ other_token }}";
  json config = {{"chat_template", all}, {"bos_token", "<s>"}, {"unk_token", {{"content", "<unk>"}}},
                 {"pad_token", "[pad]"}, {"sep_token", "[s]"}, {"cls_token", nullptr},
                 {"mask_token", "[m]"},  {"other_token", "x"}};
  const json map = {{"bos_token", "<b>"}, {"eos_token", {{"content", "</b>"}}}, {"pad_token", nullptr}};
  const auto said = [&] {
    return said_of({{"tokenizer_config.json", config.dump()}, {"special_tokens_map.json", map.dump()}});
  };
  CHECK(said_of({{"tokenizer_config.json", config.dump()}}) == "<s>||<unk>|[s]|[pad]||[m]|x");
  // Made with transformers 5.24.0: the map counts where there is no added_tokens_decoder.
  CHECK(said() == "<b>|</b>|<unk>|[s]|||[m]|x");
  config["added_tokens_decoder"] = json::object();
  CHECK(said() == "<s>||<unk>|[s]|[pad]||[m]|x");
}

TEST_CASE("a model without a usable template says why") {
  CHECK(problem_of(ChatTemplate(model({}))) == "The model has no chat template.");
  CHECK(problem_of(ChatTemplate(model({{"tokenizer_config.json", "{\"chat_template\": null}"}}))) ==
        "The model has no chat template.");
  CHECK(problem_of(ChatTemplate(with_template("{% block x %}"))) ==
        "Line 1 of the chat template: the statement `block` is not supported.");
  CHECK(problem_of(ChatTemplate(model({{"chat_template.jinja", "\xFF"}}))) ==
        "The chat template is not UTF-8 text.");
  CHECK(problem_of(ChatTemplate(model({{"tokenizer_config.json", "{\"chat_template\": 5}"}}))) ==
        "tokenizer_config.json: chat_template must be a text or a list of named templates.");
  CHECK(problem_of(ChatTemplate(model({{"tokenizer_config.json", "{\"chat_template\": [5]}"}}))) ==
        "tokenizer_config.json: chat_template has an entry without `name` and `template`.");
  CHECK(problem_of(ChatTemplate(model({{"tokenizer_config.json", "{\"chat_template\": []}"}}))) ==
        "tokenizer_config.json: chat_template has no template with the name `default`.");
  CHECK(problem_of(ChatTemplate(model({{"chat_template.json", "{"}}))).find("not valid JSON") !=
        std::string::npos);
}

TEST_CASE("chat data is text: one document a conversation, by the model's own template") {
  const TemporaryFolder folder;
  const ChatTemplate chat(with_template(simple));
  const std::vector<std::string> expected{"<s>user: Hi\nassistant: Yo", "plain"};
  write_file(folder / "a.jsonl", std::string(hello) + "\n{\"text\": \"plain\"}\n");
  CHECK(read_documents(folder / "a.jsonl", &chat) == expected);
  write_file(folder / "a.json", "[" + std::string(hello) + ", \"plain\"]");
  CHECK(read_documents(folder / "a.json", &chat) == expected);
  write_file(folder / "a.jsonl",
             R"({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Yo"}]})");
  CHECK(read_documents(folder / "a.jsonl", &chat) == std::vector{expected[0]});
  const Beginning beginning = read_beginning(folder / "a.jsonl", 10, &chat);
  CHECK(beginning.documents == std::vector{expected[0]});
  CHECK(beginning.conversations);
  write_file(folder / "a.jsonl", "{\"text\": \"plain\"}\n");
  CHECK_FALSE(read_beginning(folder / "a.jsonl", 100, &chat).conversations);
}

TEST_CASE("chat data that cannot be rendered is refused with the place") {
  const TemporaryFolder folder;
  const ChatTemplate chat(with_template(simple)), none(model({})),
      strict(with_template(
          "{% if messages[0].role != 'user' %}{{ raise_exception('Users first!') }}{% endif %}"));
  const auto check = [&](const std::string& line, const ChatTemplate* with, const std::string& sentence) {
    write_file(folder / "a.jsonl", "{\"text\": \"fine\"}\n" + line + "\n");
    check_refusal([&] { read_documents(folder / "a.jsonl", with); }, sentence);
  };
  check(hello, nullptr, "a.jsonl contains conversations, but there is no model whose chat template");
  check(hello, &none, "a.jsonl contains conversations. The model has no chat template.");
  check(R"({"messages": [{"role": "system", "content": ""}]})", &strict,
        "Line 2 of a.jsonl: The chat template refuses the conversation: Users first!");
  check(R"({"messages": []})", &chat, "Line 2 of a.jsonl: The conversation is not a list of messages.");
  check(R"({"messages": "x"})", &chat, "The conversation is not a list of messages.");
  check(R"({"messages": [5]})", &chat, "A message is not a JSON object.");
  check(R"({"messages": [{"content": "x"}]})", &chat, "A message has no text under `role`.");
  check(R"({"conversations": [{"from": "bird", "value": "x"}]})", &chat, "\"bird\" is not a known role");
  check(R"({"conversations": [{"from": "gpt"}]})", &chat, "A message has no text under `value`.");
  check(R"({"conversations": [5]})", &chat, "A message is not a JSON object.");
  check("{\"messages\": [" + std::string(5000, '[') + std::string(5000, ']') + "]}", &chat,
        "Line 2 of a.jsonl is nested more than 100 levels deep, at byte 112.");
  check(R"({"messages": [{"role": "user", "content": )" + std::string(80, '[') + std::string(80, ']') + "}]}",
        &chat, "a value is nested more than 64 levels deep");
  check(R"({"message": []})", &chat, "Line 2 of a.jsonl has no key \"text\" and no \"messages\"");
}

TEST_CASE("no window begins with two BOS, and those of conversations inside a window stay") {
  const TemporaryFolder folder;
  // Each document is "<s>user: a" and a line end: BOS and 8 bytes, or just the bytes where a window begins.
  const ChatTokenizer tokenizer(
      "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}");
  std::string lines;
  for (int i = 0; i < 40; ++i)
    lines += R"({"messages": [{"role": "user", "content": ")" +
             std::string(1, static_cast<char>(i < 26 ? 'A' + i : 'a' + i - 26)) + "\"}]}\n";
  write_file(folder / "a.jsonl", lines);
  const auto check = [&](const Windows& windows) {
    REQUIRE(windows.count() > 1);
    for (std::int64_t i = 0; i < windows.count(); ++i) {
      CHECK(windows.row(i)[0] == 256);
      CHECK(windows.row(i)[1] != 256);
    }
  };
  const Windows measured = measured_text({folder / "a.jsonl"}, tokenizer, 9, 180).windows;
  check(measured);
  CHECK(tokenizer.decode(measured.row(0)) == "user: A\n");
  CHECK(measured.row(1)[1] == 'u');  // the next document begins with the window, which has the one BOS
  const Windows shifted = measured_text({folder / "a.jsonl"}, tokenizer, 12, 120).windows;
  check(shifted);
  CHECK(std::ranges::count(shifted.tokens, 256) > shifted.count());
  check(split_corpus({folder / "a.jsonl"}, tokenizer, 12, {120, 36, 36}, 0).calibration);
  const TextLook look = look_at_text({{folder / "a.jsonl"}, 12, {120, 36, 36}, 0, 1}, tokenizer, Context());
  CHECK(look.problems.empty());
  CHECK(look.calibration == 10);
}
