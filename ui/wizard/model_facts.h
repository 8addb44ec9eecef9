// What the wizard knows about a checkpoint: the output of `ladimo inspect`, and the tokenizer.
#pragma once

#include <memory>

#include <QString>

#include "run/inspection.h"
#include "text/tokenizer.h"

namespace ladimo::ui {

struct ModelFacts : Inspection {
  QString folder;
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the model is on another machine
};

/// Reads the configuration, the tensor headers and the tokenizer of a local folder, but no weights.
ModelFacts read_model(const QString& folder);

/// "LlamaForCausalLM: 6 layers with hidden size 192 and FFNs of 512 neurons, ..." in words.
QString model_in_words(const ModelConfig& config);

}  // namespace ladimo::ui
