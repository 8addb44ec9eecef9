#include "place.h"

#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "support/calibration_text.h"
#include "support/gguf_file.h"
#include "support/sample_run.h"

namespace ladimo::testing {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t shard_bytes = 300'000;
constexpr const char* tokenizers[] = {"llama3", "llama2", "unigram"};  // folders with a tokenizer.json

std::string call(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--threads", "1"});
  const auto ended = forked_call(arguments, {}, {});
  if (ended.status != 0)
    throw std::runtime_error(fmt::format("{}: status {}\n{}", arguments.front(), ended.status, ended.err));
  return ended.out;
}

/// The same weights in several files with an index.
void write_shards(const fs::path& model, const fs::path& folder) {
  fs::create_directories(folder);
  for (const auto& entry : fs::directory_iterator(model))
    if (entry.path().extension() != ".safetensors") fs::copy(entry.path(), folder);
  const auto store = TensorStore::open(model);
  std::vector<TensorSpec> specs;
  for (const auto& [name, view] : store.tensors()) specs.push_back({name, view.dtype, view.shape});
  write_sharded(folder, specs, shard_bytes, [&](const TensorSpec& spec) {
    const auto& bytes = store.at(spec.name).bytes;
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
}

}  // namespace

Place::Place() {
  fs::create_directories(root_);
  make_small_files();
  make_models();
  make_run();
  fs::copy(root_, kept_, fs::copy_options::recursive);
  before_ = entries();
  list_subjects();
}

void Place::make_small_files() {
  write_text(path("text.txt"), 60);
  write_text(path("other.txt"), 20, 1);
  std::string questions, documents;
  for (int i = 0; i < 30; ++i) {
    const std::string answer = fmt::format("{} red cats", i);
    const nlohmann::json question = {
        {"context", "The dog saw"}, {"choices", {answer, "the mat"}}, {"label", i % 2}};
    const nlohmann::json document = {{"text", "The dog saw a tree with " + answer}, {"meta", {{"n", i}}}};
    if (i < 3) questions += question.dump() + "\n";
    documents += document.dump() + "\n";
    const nlohmann::json conversation = {
        {"messages",
         {{{"role", "user"}, {"content", fmt::format("What saw {} dogs?", i)}},
          {{"role", "assistant"}, {"content", answer}}}}};
    if (i % 3 == 0) documents += conversation.dump() + "\n";
  }
  write_file(path("tasks.jsonl"), questions);
  write_file(path("text.jsonl"), documents);
  write_json(path("recipe.json"),
             {{"tokens", 1000},
              {"held_out_tokens", 512},
              {"experts", 8},
              {"shared", 2},
              {"window", 32},
              {"stage1", {{"second_sweep", true}, {"router_ranks", {4}}, {"epochs", 1}, {"batch", 128}}},
              {"finish", {{"use", "on"}, {"epochs", 1}, {"batch", 128}}}});
}

void Place::make_models() {
  const fs::path model = path("model");
  write_pico_model(model);
  write_json(model / "tokenizer_config.json", {{"add_bos_token", true},
                                               {"add_eos_token", false},
                                               {"bos_token", "<s>"},
                                               {"chat_template",
                                                "{% for m in messages %}{{ bos_token + m.role ~ ': ' + "
                                                "m['content'] | trim }}\n{% endfor %}"},
                                               {"eos_token", {{"content", "</s>"}, {"special", true}}},
                                               {"model_max_length", 64},
                                               {"tokenizer_class", "LlamaTokenizer"}});
  write_json(model / "generation_config.json", {{"bos_token_id", 1}, {"eos_token_id", {2}}});
  write_json(model / "special_tokens_map.json", {{"bos_token", "<s>"}, {"eos_token", "</s>"}});
  write_json(model / "added_tokens.json", {{"<s>", 1}, {"</s>", 2}});
  write_shards(model, path("sharded"));
  for (const char* name : tokenizers) {
    const fs::path folder = path(name);
    fs::create_directories(folder);
    write_file(folder / "tokenizer.json",
               read_file(fs::path(LADIMO_TEST_DATA) / "tokenizers" / (std::string(name) + ".json")));
    write_json(folder / "tokenizer_config.json",
               {{"add_bos_token", true}, {"bos_token", "<s>"}, {"eos_token", "</s>"}});
  }
  write_file(path("model.gguf"), gguf_of(model, true).bytes());
}

void Place::make_run() {
  const fs::path run = path("run");
  const std::vector<std::string> more = {path("model"),      "-o", run, "--text", "self", "--recipe",
                                         path("recipe.json")};
  std::vector<std::string> plan = {"plan", "--json"}, convert = {"convert"};
  plan.insert(plan.end(), more.begin(), more.end());
  convert.insert(convert.end(), more.begin(), more.end());
  // The run is begun with a table of times. Measuring them would take three seconds, and no policy is faster
  // than so small a dense model.
  fs::create_directories(run);
  write_json(run / "recipe.json", nlohmann::json::parse(call(plan))["recipe"]);
  write_json(run / "latency.json", {{"date", "2026-01-01T00:00:00Z"},
                                    {"machine", "a machine"},
                                    {"threads", 1},
                                    {"dense_decode_ms", 0.4},
                                    {"dense_prefill_ms", 0.1},
                                    {"other_decode_ms", 0.3},
                                    {"other_prefill_ms", 0.1},
                                    {"prefill_tokens", 32},
                                    {"points",
                                     {{{"mean_experts", 0.1}, {"decode_ms", 0.1}, {"prefill_ms", 0.1}},
                                      {{"mean_experts", 3.0}, {"decode_ms", 0.2}, {"prefill_ms", 0.1}},
                                      {{"mean_experts", 6.0}, {"decode_ms", 0.3}, {"prefill_ms", 0.1}}}}});
  call(convert);
  // The finish keeps nothing of so short a training. Its layers are those of stage 1 here.
  const LayerStore layers(run);
  const auto hash = layers.put_finished(1, writing(read_file(run / "layers" / "001.safetensors")));
  layers.put(FinishRecord{{0.2, 0.1}, {{1, hash}}});
  call({"policy", run, "--tradeoff", "1", "--pin", "0=top2", "-o", path("policy.json")});
  fs::create_directories(run / "policies");
  fs::copy(path("policy.json"), run / "policy.json");
  fs::copy(path("policy.json"), run / "policies" / "calm.json");
  call({"eval", run});
  call({"export", run, "-o", path("native"), "--all-policies", "--shard-bytes", std::to_string(shard_bytes)});
}

std::vector<fs::path> Place::files_in(const fs::path& folder) const {
  std::vector<fs::path> files;
  for (const auto& [file, entry] : before_)
    if (!entry.folder && *file.begin() == folder) files.push_back(file);
  return files;
}

void Place::list_subjects() {
  const std::string model = path("model"), sharded = path("sharded"), run = path("run"),
                    native = path("native"), gguf = path("model.gguf");
  const std::string text = path("text.txt"), lines = path("text.jsonl"), other = path("other.txt");
  const std::string policy = path("policy.json"), tasks = path("tasks.jsonl"), recipe = path("recipe.json");
  const std::string out = path("out");
  const auto generate = [](const std::string& what, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"generate", what, "--prompt", "the cat", "--max-tokens", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const auto of_model = [&](const std::string& folder) {
    return std::vector<std::vector<std::string>>{
        {"inspect", folder},
        generate(folder),
        {"eval", folder, "--text", other, "--window", "32"},
        {"plan", folder, "-o", out, "--text", text, "--recipe", recipe}};
  };
  const auto to_convert = [&](const std::string& folder) {
    return std::vector<std::vector<std::string>>{
        {"convert", folder, "-o", out, "--text", text, "--recipe", recipe},
        {"plan", folder, "-o", out, "--text", text, "--recipe", recipe, "--sample", "1", "--look", "2"}};
  };
  subjects_ = {
      {"model", files_in("model"), of_model(model), to_convert(model)},
      {"sharded", files_in("sharded"), of_model(sharded), to_convert(sharded)},
      {"gguf", {"model.gguf"}, of_model(gguf), to_convert(gguf)},
      {"native",
       files_in("native"),
       {{"inspect", native},
        generate(native),
        generate(native, {"--policy", policy}),
        {"eval", native, "--text", other, "--window", "32"},
        {"eval", native, "--text", other, "--window", "32", "--dense", model}},
       {}},
      {"run",
       files_in("run"),
       {{"show", run},
        {"show", run, "--json"},
        {"policy", run, "--activated", "0.97"},
        {"policy", run, "--cost", "decode_ms", "--tradeoff", "0.7", "-o", path("new.json")},
        {"policy", run, "--max-kl", "0.5"},
        {"eval", run},
        {"eval", run, "--text", other},
        generate(run),
        generate(run, {"--dense-only"}),
        {"plan", model, "-o", run},
        {"export", run, "-o", out},
        {"convert", model, "-o", run}},
       {}},
      {"policy",
       {"policy.json"},
       {generate(run, {"--policy", policy}),
        {"eval", run, "--policy", policy},
        {"export", run, "-o", out, "--policy", policy},
        {"policy", run, "--tradeoff", "0.3", "-o", policy}},
       {}},
      {"tasks", {"tasks.jsonl"}, {{"eval", run, "--text", other, "--tasks", tasks}}, {}},
      {"text",
       {"text.txt", "text.jsonl"},
       {{"eval", run, "--text", text, lines},
        {"plan", model, "-o", out, "--text", text, "--recipe", recipe, "--look", "2"},
        {"plan", model, "-o", out, "--text", lines, "--tokens", "64", "--held-out-tokens", "64", "--window",
         "16"}},
       {}},
      {"recipe",
       {"recipe.json"},
       {{"plan", model, "-o", out, "--text", text, "--recipe", recipe},
        {"plan", model, "-o", out, "--text", text, "--recipe", recipe, "--sample", "1", "--look", "2"}},
       {}},
      {"serve", {}, {}, {}},
  };
  for (const char* name : tokenizers)
    subjects_.push_back({name, files_in(name), {{"tokenize", path(name), "--text", text, other}}, {}});
}

Place::Entries Place::entries() const {
  Entries entries;
  for (const auto& item : fs::recursive_directory_iterator(root_)) {
    Entry entry;
    entry.folder = item.is_directory();
    if (!entry.folder) {
      entry.bytes = item.file_size();
      entry.time = item.last_write_time();
    }
    entries[item.path().lexically_relative(root_)] = entry;
  }
  return entries;
}

std::vector<std::string> Place::changes() const {
  const Entries now = entries();
  std::vector<std::string> changes;
  for (const auto& [name, entry] : now) {
    const auto found = looked_.find(name);
    if (found == looked_.end())
      changes.push_back("new: " + name.string());
    else if (found->second != entry)
      changes.push_back("changed: " + name.string());
  }
  for (const auto& [name, entry] : looked_)
    if (!now.contains(name)) changes.push_back("gone: " + name.string());
  return changes;
}

void Place::replace(const fs::path& name, const std::optional<std::string>& bytes) {
  fs::remove(path(name));
  if (bytes)
    std::ofstream(path(name), std::ios::binary) << *bytes;
  else
    fs::create_directory(path(name));
  replaced_.insert(name);
}

void Place::restore() {
  for (const auto& name : replaced_) fs::remove_all(path(name));
  replaced_.clear();
  const Entries now = entries();
  for (const auto& [name, entry] : now)
    if (const auto found = before_.find(name); found == before_.end() || found->second != entry)
      fs::remove_all(root_ / name);
  for (auto& [name, entry] : before_) {
    if (fs::exists(root_ / name)) continue;
    if (entry.folder) {
      fs::create_directory(root_ / name);
    } else {
      fs::copy_file(kept_ / name, root_ / name);
      entry.time = fs::last_write_time(root_ / name);
    }
  }
}

}  // namespace ladimo::testing
