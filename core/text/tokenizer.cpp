#include "text/tokenizer.h"

#include <dlfcn.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/path_problem.h"
#include "text/sentencepiece_shim.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr const char* replacement_character = "\xEF\xBF\xBD";  // U+FFFD: a byte that is no character (yet)
constexpr std::size_t longest_character = 4;                   // bytes of UTF-8

// Opens the shim that lies beside the program: in the build tree or in the install tree.
const LadimoSentencePiece* open_sentencepiece() {
  int flags = RTLD_NOW | RTLD_LOCAL;
#if !defined(__SANITIZE_ADDRESS__) && defined(RTLD_DEEPBIND)
  flags |= RTLD_DEEPBIND;  // AddressSanitizer refuses it; it is only needed with libtorch in the process
#endif
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path();
  std::string reason;
  for (const char* folder : {"../lib/ladimo", LADIMO_PLUGIN_FOLDER}) {
    const fs::path file = program / folder / "libladimo_sentencepiece.so";
    if (void* library = ::dlopen(file.c_str(), flags)) {
      using Entry = const LadimoSentencePiece* (*)();
      const auto entry = reinterpret_cast<Entry>(::dlsym(library, "ladimo_sentencepiece"));
      if (entry != nullptr) return entry();
    }
    const char* message = ::dlerror();
    reason = message != nullptr ? message : file.string() + " is another library";
  }
  throw Error(fmt::format("The tokenizer library cannot be loaded: {}.", reason),
              "Install the program again, with libladimo_sentencepiece.so.", program);
}

const LadimoSentencePiece& sentencepiece() {
  static const LadimoSentencePiece* const functions = open_sentencepiece();
  return *functions;
}

/// Whether a file is a tiktoken vocabulary: lines of a base64 word and its rank, counted from 0.
bool is_tiktoken(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find('\n'));
  const auto space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 64) return false;
  const auto is_base64 = [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9') || letter == '+' || letter == '/' || letter == '=';
  };
  return line.substr(space + 1) == "0" && std::ranges::all_of(line.substr(0, space), is_base64);
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const fs::path& file, std::optional<std::int64_t> bos) : library_(sentencepiece()) {
    const std::string bytes = read_file(file);
    if (const auto stand_in = stand_in_problem(file, bytes)) throw Refusal(*stand_in);
    if (is_tiktoken(bytes))
      throw Refusal(
          fmt::format("{} is a tiktoken vocabulary (LLaMA 3's original format), which is not read so far.",
                      file.filename().string()),
          "Use a checkpoint with a SentencePiece tokenizer.model.", file);
    // An empty file parses as a model without pieces.
    if (!bytes.empty()) model_ = library_.load(bytes.data(), bytes.size());
    if (model_ == nullptr || size() == 0) {
      if (model_ != nullptr) library_.free(model_);
      throw Refusal(
          fmt::format("{} is not a SentencePiece model, or it is damaged.", file.filename().string()),
          "Fetch the file again from where the checkpoint came from.", file);
    }
    fingerprint_ = hash_hex(bytes);
    bos_ = bos ? static_cast<std::int32_t>(*bos) : library_.bos(model_);
  }
  ~SentencePieceTokenizer() override { library_.free(model_); }
  SentencePieceTokenizer(const SentencePieceTokenizer&) = delete;
  SentencePieceTokenizer& operator=(const SentencePieceTokenizer&) = delete;

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    const auto sink = [](void* target, const std::int32_t* found, std::size_t count) {
      static_cast<std::vector<std::int32_t>*>(target)->assign(found, found + count);
    };
    if (library_.encode(model_, text.data(), text.size(), sink, &ids) != 0)
      throw Refusal("The text cannot be turned into tokens.", "Check that it is plain UTF-8 text.");
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::vector<std::int32_t> printable;
    for (const std::int32_t id : ids) {
      if (id < 0 || id >= size())
        throw Refusal(fmt::format("The tokenizer has no token {}; it has {} pieces.", id, size()),
                      "Use the tokenizer that belongs to the checkpoint.");
      if (library_.is_control(model_, id) == 0) printable.push_back(id);
    }
    std::string text;
    const auto sink = [](void* target, const char* found, std::size_t bytes) {
      static_cast<std::string*>(target)->assign(found, bytes);
    };
    if (library_.decode(model_, printable.data(), printable.size(), sink, &text) != 0)
      throw Refusal("The tokens cannot be turned into text.",
                    "Use the tokenizer that belongs to the checkpoint.");
    return text;
  }

  std::int64_t size() const override { return library_.size(model_); }
  std::int32_t bos() const override { return bos_; }
  std::int32_t eos() const override { return library_.eos(model_); }
  std::string fingerprint() const override { return fingerprint_; }

 private:
  const LadimoSentencePiece& library_;
  void* model_ = nullptr;
  std::int32_t bos_ = -1;
  std::string fingerprint_;
};

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const fs::path& model_folder, std::optional<std::int64_t> bos) {
  const fs::path file = model_folder / "tokenizer.model";
  if (has_entry(file)) return std::make_unique<SentencePieceTokenizer>(file, bos);
  if (has_entry(model_folder / "tokenizer.json"))
    throw Refusal(
        "There is a tokenizer.json but no tokenizer.model; only SentencePiece's tokenizer.model is read so "
        "far.",
        "Fetch tokenizer.model from where the checkpoint came from.", model_folder / "tokenizer.json");
  throw Refusal("There is no tokenizer.model in the folder.",
                "Fetch tokenizer.model from where the checkpoint came from.", file);
}

std::string StreamDecoder::add(std::int32_t id) {
  ids_.push_back(id);
  std::string text = tokenizer_.decode(ids_);
  const bool incomplete = text.ends_with(replacement_character) && ids_.size() - context_ < longest_character;
  if (incomplete) return {};
  std::string added = text.size() > printed_ ? text.substr(printed_) : std::string();
  printed_ += added.size();
  forget();
  return added;
}

std::string StreamDecoder::finish() {
  const std::string text = tokenizer_.decode(ids_);
  std::string added = text.size() > printed_ ? text.substr(printed_) : std::string();
  ids_.clear();
  context_ = printed_ = 0;
  return added;
}

// Keeps only the tokens just printed as the context of the next ones, so that a long text costs no more per
// token than a short one. Tokens that print nothing by themselves would change how the next one begins,
// because a space at the beginning is dropped. In that case the older context stays.
void StreamDecoder::forget() {
  const std::vector<std::int32_t> latest(ids_.begin() + static_cast<std::ptrdiff_t>(context_), ids_.end());
  const std::string text = tokenizer_.decode(latest);
  if (!text.empty()) {
    ids_ = latest;
    printed_ = text.size();
  }
  context_ = ids_.size();
}

}  // namespace ladimo
