#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_fields.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint.h"
#include "commands.h"
#include "model_argument.h"
#include "run/model_check.h"
#include "text/tokenizer.h"

namespace ladimo::cli {
namespace {

std::string read_text(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (const auto invalid = find_invalid_utf8(text))
    throw Refusal(fmt::format("{} is not UTF-8 text: error at byte {}.", file.filename().string(), *invalid),
                  "Convert it to UTF-8, e.g. with iconv.", file);
  return text;
}

}  // namespace

Command add_tokenize(CLI::App& app) {
  struct Options {
    std::filesystem::path model;
    std::vector<std::filesystem::path> files;
  };
  auto options = std::make_shared<Options>();
  add_model_argument(app, options->model,
                     "Folder, GGUF file or ORG/NAME from the Hub; only the tokenizer is read",
                     ModelUse::tokenizer);
  app.add_option("--text", options->files, "Text files; each is read as one text")
      ->type_name("FILE")
      ->required();
  return [options](const Session& session) {
    const auto [model, config] = tokenizer_files(options->model);
    const auto tokenizer =
        load_tokenizer(model, config ? std::optional(model_tokens(*config)) : std::nullopt);
    session.context.warn(tokenizer->warnings());
    std::vector<std::int32_t> ids;
    auto tokens = nlohmann::json::array();
    for (const auto& file : options->files) {
      const auto text = read_text(file);
      const auto found = naming_file(file, [&] { return tokenizer->encode(text); });
      ids.insert(ids.end(), found.begin(), found.end());
    }
    if (session.output.form() != Form::text)
      for (const std::int32_t id : ids) tokens.push_back(tokenizer->spelling(id));
    session.output.result({{"ids", ids}, {"tokens", std::move(tokens)}}, [&] {
      for (const std::int32_t id : ids) fmt::print("{}\t{}\n", id, tokenizer->spelling(id));
    });
    return 0;
  };
}

}  // namespace ladimo::cli
