#include "base/chunking.h"

#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace ladimo;

TEST_CASE("a chunk's matrix fits the cache, between 256 and 8192 rows") {
  CHECK(chunk_rows(4096) == 1024);
  CHECK(chunk_rows(4096) * 4096 * 4 == chunk_bytes);
  CHECK(chunk_rows(4096, 2) == 512);
  CHECK(chunk_rows(1) == 8192);
  CHECK(chunk_rows(1'000'000) == 256);
}

TEST_CASE("chunks of windows hold whole windows") {
  CHECK(chunk_windows(4096, 256) == 4);
  CHECK(chunk_windows(4096, 300) == 3);
  CHECK(chunk_windows(4096, 256, 2) == 2);
  CHECK(chunk_windows(4096, 5000) == 1);
}

TEST_CASE("attention scores of a chunk of queries fit the cache; a chunk has at least one query") {
  CHECK(chunk_score_rows(32, 2048) == 64);
  CHECK(chunk_score_rows(64, 10'000'000) == 1);
}

TEST_CASE("logits are computed for 256 rows, or for as many as a small vocabulary allows") {
  CHECK(chunk_logit_rows(512) == 2048);
  CHECK(chunk_logit_rows(128'256) == 256);
}

TEST_CASE("pieces run side by side when all threads have one and the pieces are small") {
  CHECK(pieces_at_once(4, 16, chunk_bytes) == 4);
  CHECK(pieces_at_once(4, 4, 0) == 4);
  CHECK(pieces_at_once(4, 3, 0) == 1);
  CHECK(pieces_at_once(1, 16, 0) == 1);
  CHECK(pieces_at_once(4, 16, chunk_bytes + 1) == 1);
}

TEST_CASE("chunks are consecutive and cover everything once") {
  std::vector<std::pair<int, int>> seen;
  for_chunks(
      7, 3, [&](auto begin, auto end) { seen.emplace_back(static_cast<int>(begin), static_cast<int>(end)); });
  CHECK(seen == std::vector<std::pair<int, int>>{{0, 3}, {3, 6}, {6, 7}});
}
