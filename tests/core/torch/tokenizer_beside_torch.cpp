#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "text/tokenizer.h"

TEST_CASE("sentencepiece and libtorch work in one process") {
  const auto a = at::ones({8, 8});
  CHECK(at::matmul(a, a).sum().item<double>() == 512);
  const auto tokenizer = ladimo::load_tokenizer(ladimo::ModelFiles(std::filesystem::path(LADIMO_DEMO)));
  CHECK(tokenizer->decode(tokenizer->encode("Once upon a time")) == "Once upon a time");
  CHECK(at::matmul(a, a).sum().item<double>() == 512);
}
