// The pages about how a run was made.
#include "ui/mainwindow/run_facts.h"

#include <doctest/doctest.h>

#include <memory>

#include <QTableView>

#include "example_run.h"
#include "policy/moe_shape.h"

using namespace ladimo;

TEST_CASE("the losses tell what kind of router each layer has") {
  ui::RunData run = ui::read_run(QByteArray::fromStdString(testing::example_show().dump()), "/some/run");
  const auto shape = [](int rank) {
    return MoeShape{.hidden_size = 64,
                    .shared_neurons = 128,
                    .routed = 48,
                    .expert_neurons = 8,
                    .router_parameters = router_parameters(64, 48, rank)};
  };
  REQUIRE(run.layers.size() >= 3);
  run.layers[0].record->shape = shape(0);
  run.layers[1].record->shape = shape(16);
  run.layers[2].record->shape.reset();  // a run of an earlier version
  const std::unique_ptr<QWidget> page(ui::distil_facts_page(run));
  const auto& losses = *page->findChild<QTableView*>()->model();
  const int router = losses.columnCount() - 1;
  CHECK(losses.headerData(router, Qt::Horizontal).toString() == "Router");
  const char* words[] = {"linear", "16 hidden units", "–"};
  for (int row = 0; row < 3; ++row)
    CHECK(losses.index(row, router).data().toString() == QString::fromUtf8(words[row]));
}
