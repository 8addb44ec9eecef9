// A model in the cache of the Hub, and conversations as text.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/environment.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("a command finds a model of the Hub by its name") {
  const Workplace work;
  const fs::path cache = fs::path(work.folder / "hub"), entry = cache / "models--org--Tiny";
  fs::create_directories(entry / "snapshots");
  fs::copy(work.model, entry / "snapshots" / "c0ffee");
  write_file(entry / "snapshots" / "c0ffee" / "README.md", "---\nlicense: mit\n---\n");
  const EnvironmentVariable variable("HF_HUB_CACHE", cache.c_str());
  const json inspected = json_of({"inspect", "org/Tiny"});
  CHECK(inspected["layers"] == 3);
  CHECK(inspected["tokenizer"] == "SentencePiece");
  CHECK(inspected["license"] == "mit");
  CHECK(json_of({"inspect", work.model})["license"].is_null());
  CHECK(run({"inspect", "org/Tiny"}).out.find("safetensors · tokenizer SentencePiece · license mit\n") !=
        std::string::npos);
  const auto plan = json_of({"plan", "org/Tiny", "-o", work.folder / "run", "--text", "self"});
  CHECK(plan["recipe"]["model"] == (entry / "snapshots" / "c0ffee").string());

  const auto absent = run({"inspect", "org/absent"});
  CHECK(absent.status == 2);
  CHECK(absent.err.find("hf download org/absent") != std::string::npos);
  CHECK(absent.err.find(cache.string()) != std::string::npos);
}

TEST_CASE("conversations are calibration text by the model's own template") {
  const Workplace work;
  const fs::path chat = work.folder / "chat.jsonl";
  std::string lines;
  for (int i = 0; i < 600; ++i)
    lines += json{{"messages",
                   {{{"role", "user"}, {"content", "What did the dog see? " + std::to_string(i)}},
                    {{"role", "assistant"}, {"content", "It saw a red ball under the tree."}}}}}
                 .dump() +
             "\n";
  write_file(chat, lines);
  const std::vector<std::string> command{
      "plan", work.model, "-o", work.folder / "run", "--text", chat, "--tokens", "2000", "--window",
      "32",   "--look",   "1",  "--held-out-tokens", "512"};
  const auto without = run(command);
  CHECK(without.status == 2);
  CHECK(without.err.find("chat.jsonl contains conversations. The model has no chat template.") !=
        std::string::npos);

  write_file(fs::path(work.model) / "chat_template.jinja",
             "{% for m in messages %}{{ m.role | upper }}: {{ m.content }}\n{% endfor %}");
  const auto look = json_of(command)["look"];
  CHECK(look["problems"].empty());
  CHECK(look["files"][0]["conversations"] == true);
  std::string text;
  for (const auto& token : look["windows"][0]["tokens"]) text += token.get<std::string>();
  CHECK_MESSAGE(text.find("USER: ") != std::string::npos, text);

  write_file(fs::path(work.model) / "chat_template.jinja", "{{ raise_exception('No.') }}");
  CHECK(run(command).err.find("Line 1 of chat.jsonl: The chat template refuses the conversation: No.") !=
        std::string::npos);
}
