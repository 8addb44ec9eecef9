// The files in transfer/huggingface as they are, written for LLaMA. CMake makes the source.
#pragma once

namespace ladimo {

extern const char* const configuration_python;
extern const char* const modeling_python;

}  // namespace ladimo
