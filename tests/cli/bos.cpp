// A model whose config says `"bos_token_id": null`: no window and no prompt begins with a BOS, whatever its
// tokenizer knows.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
using nlohmann::json;

namespace {

void change_config(const std::filesystem::path& model, const char* key, const json& value) {
  auto config = read_json(model / "config.json");
  config[key] = value;
  write_json(model / "config.json", config);
}

}  // namespace

TEST_CASE("with bos_token_id null no window and no prompt begins with a BOS") {
  const Workplace work;
  auto plan = work.convert(work.folder / "run");
  plan.front() = "plan";
  plan.insert(plan.end(), {"--look", "1"});
  const auto first_window = [&] {
    return json_of(plan)["look"]["windows"][0]["tokens"].get<std::vector<std::string>>();
  };
  const auto tokens_to_the_last_position = [&] {
    return json_of({"generate", work.model, "--prompt", "the cat", "--max-tokens", "1000"})["tokens"].size();
  };
  change_config(work.model, "eos_token_id", nullptr);  // so that only the position limit ends a text
  const auto with_bos = first_window();
  const auto generated = tokens_to_the_last_position();
  CHECK(with_bos[0] == "<s>");
  CHECK_FALSE(with_bos[1].empty());

  change_config(work.model, "bos_token_id", nullptr);
  CHECK(json_of({"inspect", work.model})["problems"].empty());
  const auto without_bos = first_window();
  CHECK_FALSE((without_bos[0].empty() || without_bos[0] == "<s>"));  // a piece of text in place of the BOS
  CHECK(without_bos.size() == with_bos.size());
  CHECK(tokens_to_the_last_position() == generated + 1);
  const auto empty = run({"generate", work.model, "--prompt", ""});
  CHECK(empty.status == 2);
  CHECK(empty.err.find("The prompt is empty.") != std::string::npos);
}
