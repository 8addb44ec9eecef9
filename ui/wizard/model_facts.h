// What the wizard knows about a checkpoint: the output of `ladimo inspect`, and the tokenizer.
#pragma once

#include <memory>

#include <QString>

#include "run/inspection.h"
#include "text/tokenizer.h"

namespace ladimo::ui {

struct ModelFacts : Inspection {
  QString path;                                // the folder or the GGUF file
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the model is on another machine
};

/// Reads the configuration, the tensor headers and the tokenizer of a local model, but no weights. `model` is
/// a folder, a GGUF file or the name of a model in a cache of the Hub (find_model). Throws Refusal for a name
/// that no cache knows.
ModelFacts read_model(const QString& model);

/// "Llama (LlamaForCausalLM): 6 layers with hidden size 192 and FFNs of 512 neurons, ..." in words, and in a
/// line of its own the tokenizer, the file and the license, as far as they are known.
QString model_in_words(const ModelFacts& facts);

}  // namespace ladimo::ui
