// The demos: a small model that comes with the program, a finished run of it, and a real model on request.
#pragma once

#include <QString>

namespace ladimo::ui {

/// The folders of the demo beside the program; empty if they are not there.
QString demo_model();
QString demo_run();

/// SmolLM2-135M-Instruct, a real language model, which is fetched when a person asks for it.
struct Smollm2 {
  static constexpr const char* hub_name = "HuggingFaceTB/SmolLM2-135M-Instruct";

  QString script;  // lays the file in the folder that it is given; empty if it is not beside the program
  QString file;    // where it is wanted

  static Smollm2 of_program();
  /// Where the model is: the file, or a model in the cache of the Hub. Empty if it is nowhere.
  QString model() const;
};

}  // namespace ladimo::ui
