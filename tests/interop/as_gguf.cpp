// Writes a dense model as a GGUF file, for the comparison with other programs:
//
//   ladimo_as_gguf MODEL FILE.gguf PRECISION [MOST_BYTES_OF_A_FILE]
//
// The names of the files that were written are printed, one on a line.
#include <iostream>
#include <string>

#include "support/dense_gguf.h"
#include "transfer/gguf_tokenizer_keys.h"

using namespace ladimo;

int main(int count, char** arguments) {
  const auto precision = count > 3 ? gguf_precision_named(arguments[3]) : std::nullopt;
  if (count < 4 || count > 5 || !precision) {
    std::cerr << "usage: ladimo_as_gguf MODEL FILE.gguf F32|F16|BF16|Q8_0 [MOST_BYTES_OF_A_FILE]\n";
    return 2;
  }
  try {
    const auto checkpoint = Checkpoint::open(arguments[1]);
    const auto most = count == 5 ? std::stoull(arguments[4]) : testing::one_file;
    const auto add_tokenizer = [&](GgufKeys& keys) { add_gguf_tokenizer_keys(keys, checkpoint); };
    for (const auto& file :
         testing::write_dense_gguf(checkpoint, arguments[2], *precision, most, add_tokenizer))
      std::cout << file.string() << '\n';
  } catch (const Error& error) {
    std::cerr << error.what() << "\n  hint: " << error.hint() << '\n';
    return 1;
  }
  return 0;
}
