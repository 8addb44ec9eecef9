#include "text/piece_model.h"

#include <dlfcn.h>

#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

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

// A message of protobuf that follows another is merged into it. This one sets normalizer_spec (field 3) of
// sentencepiece's ModelProto to {add_dummy_prefix (field 3): false, remove_extra_whitespaces (field 4):
// false}. With the latter, the space between an added token and the word after it would be lost.
constexpr std::string_view as_it_stands("\x1A\x04\x18\x00\x20\x00", 6);

}  // namespace

PieceModel::PieceModel(std::string_view bytes, Beginning beginning) : library_(sentencepiece()) {
  std::string message(bytes);
  if (beginning == Beginning::as_it_is) message += as_it_stands;
  // An empty file parses as a model without pieces.
  if (!bytes.empty()) model_ = library_.load(message.data(), message.size());
  if (model_ != nullptr && size() > 0) return;
  if (model_ != nullptr) library_.free(model_);
  throw Refusal("tokenizer.model is not a SentencePiece model, or it is damaged.",
                "Download the file again.");
}

PieceModel::~PieceModel() { library_.free(model_); }

std::vector<std::int32_t> PieceModel::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  const auto sink = [](void* target, const std::int32_t* found, std::size_t count) {
    static_cast<std::vector<std::int32_t>*>(target)->assign(found, found + count);
  };
  if (library_.encode(model_, text.data(), text.size(), sink, &ids) != 0)
    throw Refusal("The text cannot be turned into tokens.", "Check that it is plain UTF-8 text.");
  return ids;
}

std::string PieceModel::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  const auto sink = [](void* target, const char* found, std::size_t bytes) {
    static_cast<std::string*>(target)->assign(found, bytes);
  };
  if (library_.decode(model_, ids.data(), ids.size(), sink, &text) != 0)
    throw Refusal("The tokens cannot be turned into text.",
                  "Use the tokenizer that belongs to the checkpoint.");
  return text;
}

std::string PieceModel::piece(std::int32_t id) const {
  std::string spelling;
  if (id < 0 || id >= size()) return spelling;
  const auto sink = [](void* target, const char* found, std::size_t bytes) {
    static_cast<std::string*>(target)->assign(found, bytes);
  };
  library_.piece(model_, id, sink, &spelling);
  return spelling;
}

std::int32_t PieceModel::id_of(std::string_view piece) const {
  return library_.id_of(model_, piece.data(), piece.size());
}

}  // namespace ladimo
