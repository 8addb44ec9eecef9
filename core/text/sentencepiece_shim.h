// The C interface to sentencepiece. Its implementation is opened with dlopen in a namespace of its own,
// because its bundled protobuf and libtorch's crash each other in a shared one. No C++ types cross the
// interface.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

struct LadimoSentencePiece {
  /// Returns a model from a serialised `tokenizer.model`, or null when it is broken.
  void* (*load)(const char* bytes, size_t size);
  void (*free)(void* model);
  /// encode and decode call `sink` once with the ids or the text. They return 0 on success.
  int (*encode)(const void* model, const char* text, size_t size,
                void (*sink)(void* target, const int32_t* ids, size_t count), void* target);
  int (*decode)(const void* model, const int32_t* ids, size_t count,
                void (*sink)(void* target, const char* text, size_t size), void* target);
  int32_t (*size)(const void* model);
  int32_t (*bos)(const void* model);                                    // -1: none
  int32_t (*eos)(const void* model);                                    // -1: none
  int32_t (*id_of)(const void* model, const char* piece, size_t size);  // -1: no piece is spelled so
  int (*is_control)(const void* model, int32_t id);
  /// Calls `sink` with the spelling of a piece. Returns 0 on success.
  int (*piece)(const void* model, int32_t id, void (*sink)(void* target, const char* text, size_t size),
               void* target);
};

/// The only exported symbol.
__attribute__((visibility("default"))) const LadimoSentencePiece* ladimo_sentencepiece(void);
}
