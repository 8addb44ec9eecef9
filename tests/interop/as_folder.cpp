// Writes a GGUF file as the folder in the Hugging Face layout that the rest of the program sees in its place,
// for the comparison with other programs:
//
//   ladimo_as_folder FILE.gguf FOLDER
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "checkpoint/gguf_model.h"
#include "checkpoint/gguf_tokenizer.h"

using namespace ladimo;
namespace fs = std::filesystem;

namespace {

void write_tensors(const TensorStore& store, const fs::path& file) {
  std::vector<TensorSpec> specs;
  for (const auto& [name, view] : store.tensors()) specs.push_back({name, view.dtype, view.shape});
  SafetensorsWriter writer(file, specs, {{"format", "pt"}});
  for (const TensorSpec& spec : specs) {
    std::vector<std::byte> bytes(spec.bytes());
    read_elements(store.at(spec.name), 0, bytes);
    writer.write(spec.name, bytes);
  }
  writer.finish();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: ladimo_as_folder FILE.gguf FOLDER\n";
    return 2;
  }
  try {
    const fs::path folder = arguments[2];
    Gguf gguf = Gguf::open(arguments[1]);
    fs::create_directories(folder);
    write_file(folder / "config.json", gguf_config(gguf));
    if (gguf.metadata.has("tokenizer.ggml.model"))
      for (const auto& [name, content] : gguf_tokenizer_files(gguf.metadata))
        write_file(folder / name, content);
    write_tensors(gguf_tensors(std::move(gguf)), folder / "model.safetensors");
  } catch (const Error& error) {
    std::cerr << error.what() << "\n  hint: " << error.hint() << '\n';
    return 1;
  }
  return 0;
}
