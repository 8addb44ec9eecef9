#include "text/sentencepiece_shim.h"

#include <sentencepiece_processor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Processor = sentencepiece::SentencePieceProcessor;

const Processor& as_processor(const void* model) { return *static_cast<const Processor*>(model); }

// No exception may cross the C border.
template <class Work>
auto guarded(Work work, decltype(work()) failed) noexcept {
  try {
    return work();
  } catch (...) {
    return failed;
  }
}

void* load(const char* bytes, size_t size) {
  return guarded(
      [&]() -> void* {
        auto processor = std::make_unique<Processor>();
        const bool good = processor->LoadFromSerializedProto(std::string_view(bytes, size)).ok();
        return good ? processor.release() : nullptr;
      },
      nullptr);
}

void release(void* model) { delete static_cast<Processor*>(model); }

int encode(const void* model, const char* text, size_t size, void (*sink)(void*, const int32_t*, size_t),
           void* target) {
  return guarded(
      [&] {
        std::vector<int> ids;
        if (!as_processor(model).Encode(std::string_view(text, size), &ids).ok()) return 1;
        sink(target, ids.data(), ids.size());
        return 0;
      },
      1);
}

int decode(const void* model, const int32_t* ids, size_t count, void (*sink)(void*, const char*, size_t),
           void* target) {
  return guarded(
      [&] {
        std::string text;
        if (!as_processor(model).Decode(std::vector<int>(ids, ids + count), &text).ok()) return 1;
        sink(target, text.data(), text.size());
        return 0;
      },
      1);
}

int32_t piece_count(const void* model) { return as_processor(model).GetPieceSize(); }
int32_t bos(const void* model) { return as_processor(model).bos_id(); }
int32_t eos(const void* model) { return as_processor(model).eos_id(); }
int32_t id_of(const void* model, const char* piece, size_t size) {
  const std::string_view spelling(piece, size);
  const auto id = as_processor(model).PieceToId(spelling);  // that of <unk> for what is no piece
  return as_processor(model).IdToPiece(id) == spelling ? id : -1;
}
int is_control(const void* model, int32_t id) { return as_processor(model).IsControl(id) ? 1 : 0; }

int piece(const void* model, int32_t id, void (*sink)(void*, const char*, size_t), void* target) {
  return guarded(
      [&] {
        const std::string& spelling = as_processor(model).IdToPiece(id);
        sink(target, spelling.data(), spelling.size());
        return 0;
      },
      1);
}

constexpr LadimoSentencePiece functions{load, release, encode, decode,     piece_count,
                                        bos,  eos,     id_of,  is_control, piece};

}  // namespace

const LadimoSentencePiece* ladimo_sentencepiece(void) { return &functions; }
