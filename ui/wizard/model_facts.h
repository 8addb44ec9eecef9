// What the wizard knows of a checkpoint once it has been looked at.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <QByteArray>
#include <QString>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/config.h"
#include "run/plan.h"
#include "text/tokenizer.h"

namespace ladimo::ui {

struct ModelFacts {
  QString folder;
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the model lies on another machine
  int weight_bytes = 2;                        // per parameter of a converted layer as it will be stored
  int threads = usual_threads();               // of the engine's machine
  std::vector<Problem> problems;               // empty: fits

  bool described() const { return config.layers > 0; }
};

/// Reads config, tensor headers and tokenizer of a folder of this machine; the weights are left alone.
ModelFacts read_model(const QString& folder);
/// From the output of `ladimo inspect`. Throws Refusal when it is not one.
ModelFacts model_from_inspect(const QByteArray& json, const QString& folder);

/// "LlamaForCausalLM: 6 layers with hidden size 192 and FFNs of 512 neurons, ..." in words.
QString model_in_words(const ModelConfig& config);

}  // namespace ladimo::ui
