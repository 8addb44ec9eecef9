#include "ui/workspace/workspace_page.h"

#include <doctest/doctest.h>

#include <cmath>

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QStyleOptionSlider>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QToolButton>

#include <qcustomplot.h>

#include "example_run.h"
#include "palettes.h"
#include "run/bench_result.h"
#include "stand_in_engine.h"
#include "ui/engine/serve_client.h"
#include "ui/models/layer_model.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/plots/frontier_plot.h"
#include "ui/plots/load_plot.h"
#include "ui/plots/matrix_plot.h"
#include "ui/plots/ridge_plot.h"
#include "ui/plots/routing_plot.h"
#include "ui/workspace/settling_slider.h"

using namespace ladimo;
using namespace ladimo::ui;
using testing::StandInEngine;

namespace {

constexpr int patience_ms = 20000;

/// A server that answers every evaluation with progress and then a result.
const std::string measuring = R"sh(echo '{"event":"ready"}'
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  echo '{"event":"progress","layer":-1,"done":1,"total":2,"eta_s":3,"id":'$id'}'
)sh" + testing::keeping(testing::example_measurement(testing::example_policy(), 0.0345)) +
                              R"sh(
  echo '{"event":"result",)sh" +
                              testing::members(to_json(testing::example_evaluation())) + R"sh(,"id":'$id'}'
done)sh";

/// A server that never answers until it is told to cancel, which it confirms.
const char* const waiting = R"sh(echo '{"event":"ready"}'
while read -r line; do
  case "$line" in
    *cancel*) echo '{"event":"error","id":1,"canceled":true,"message":"Canceled.","hint":"","path":""}' ;;
    *) echo '{"event":"progress","layer":-1,"done":1,"total":4,"eta_s":9,"id":1}' ;;
  esac
done)sh";

const char* const failing = R"sh(echo '{"event":"ready"}'
read -r line
echo '{"event":"error","id":1,"message":"The held-out text is gone.","hint":"Bring it back.","path":""}'
read -r line)sh";

struct Opened {
  explicit Opened(const nlohmann::json& show = testing::example_show(), const std::string& script = measuring)
      : engine(script), run(testing::run_of(show)), editor(run), serve(engine.engine(), run->folder) {
    page = std::make_unique<WorkspacePage>(run, editor, serve);
    page->resize(1280, 860);
    page->show();
    QCoreApplication::processEvents();
  }
  template <class Widget>
  Widget& find(const char* name) const {
    auto* widget = page->findChild<Widget*>(QLatin1String(name));
    REQUIRE_MESSAGE(widget != nullptr, name);
    return *widget;
  }
  QString text(const char* label) const { return find<QLabel>(label).text(); }
  QString cell(int layer, int column) const {
    const QAbstractItemModel& model = *find<QTableView>("layer_table").model();
    for (int row = 0; row < model.rowCount(); ++row)
      if (model.index(row, 0).data().toInt() == layer) return model.index(row, column).data().toString();
    return {};
  }
  bool comes(const char* label, const QString& words) const {
    return QTest::qWaitFor([&] { return text(label).contains(words); }, patience_ms);
  }

  StandInEngine engine;
  std::shared_ptr<const RunData> run;
  PolicyEditor editor;
  ServeClient serve;
  std::unique_ptr<WorkspacePage> page;
};

nlohmann::json show_with(const testing::ExampleShape& shape, const char* without = nullptr) {
  auto show = testing::example_show(shape);
  if (without != nullptr) show[without] = nullptr;
  return show;
}

}  // namespace

TEST_CASE("the trade-off slider changes the policy, the table and the sentence") {
  Opened opened;
  auto& slider = opened.find<SettlingSlider>("tradeoff");
  CHECK(slider.value() == 400);
  slider.setValue(0);
  CHECK(opened.editor.tradeoff() == 0);
  CHECK(opened.cell(1, LayerModel::policy) == "dense");
  CHECK(opened.text("predicted_sentence").contains("Predicted: KL 0  ·"));
  slider.setValue(1000);
  CHECK(opened.cell(1, LayerModel::policy) != "dense");
  CHECK(opened.text("layer_title").contains("shared experts only"));
  slider.setFocus();
  QTest::keyClick(&slider, Qt::Key_Left);
  CHECK(opened.editor.tradeoff() == doctest::Approx(0.99));
}

TEST_CASE(
    "the slider's handle stands under the chosen point, at every place and in every direction of reading") {
  for (const auto direction : {Qt::LeftToRight, Qt::RightToLeft}) {
    Opened opened;
    opened.page->setLayoutDirection(direction);
    opened.page->resize(1000, 800);
    auto& slider = opened.find<SettlingSlider>("tradeoff");
    const auto& canvas = opened.find<QCustomPlot>("frontier_canvas");
    QTest::qWait(100);  // the plot is drawn, and the slider follows its axis
    for (const int value : {0, 250, 500, 1000}) {
      CAPTURE(value);
      slider.setValue(value);
      QCoreApplication::processEvents();
      QStyleOptionSlider option;
      option.initFrom(&slider);
      option.minimum = slider.minimum();
      option.maximum = slider.maximum();
      option.sliderPosition = option.sliderValue = slider.value();
      option.orientation = Qt::Horizontal;
      option.upsideDown = slider.layoutDirection() == Qt::RightToLeft;
      option.subControls = QStyle::SC_SliderHandle;
      const QRect handle =
          slider.style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, &slider);
      const auto& frontier = opened.editor.frontier();
      const double budget =
          frontier.dense_cost() + value / 1000.0 * (frontier.cheapest_cost() - frontier.dense_cost());
      const double x = canvas.xAxis->coordToPixel(100 * budget / frontier.dense_cost());
      const int wanted = canvas.mapToGlobal(QPoint(int(std::lround(x)), 0)).x();
      CHECK(std::abs(slider.mapToGlobal(handle.center()).x() - wanted) <= 2);
    }
  }
}

TEST_CASE("the words beside the slider are seen whole") {
  Opened opened;
  opened.page->resize(960, 800);
  QTest::qWait(100);
  int seen = 0;
  for (const auto* word : opened.page->findChildren<QLabel*>())
    if (word->text() == "Most accurate" || word->text() == "Cheapest") {
      CAPTURE(word->text().toStdString());
      CHECK(word->width() >= word->sizeHint().width());
      ++seen;
    }
  CHECK(seen == 2);
}

TEST_CASE("a target that is typed moves the slider, and what cannot be reached is said") {
  Opened opened;
  auto& target = opened.find<QLineEdit>("target");
  QTest::keyClicks(&target, "80 %");
  QTest::keyClick(&target, Qt::Key_Return);
  const auto& numbers = opened.editor.policy().predicted;
  CHECK(numbers.activated_parameters <= 0.8 * opened.editor.frontier().dense_cost() * (1 + 1e-9));
  CHECK(opened.find<SettlingSlider>("tradeoff").value() == std::lround(1000 * opened.editor.tradeoff()));
  CHECK(target.text().isEmpty());
  const QString said = opened.text("predicted_sentence");
  QTest::keyClicks(&target, "3 %");
  QTest::keyClick(&target, Qt::Key_Return);
  CHECK(opened.text("predicted_sentence").contains("No policy is that cheap"));
  CHECK(target.text() == "3 %");
  QTest::keyClick(&target, Qt::Key_Backspace);
  CHECK(opened.text("predicted_sentence") == said);
  target.setText("soon");
  QTest::keyClick(&target, Qt::Key_Return);
  CHECK(opened.text("predicted_sentence").contains("“soon” is not a target"));
}

TEST_CASE("a policy that is kept nowhere can be saved beside the slider") {
  Opened opened;
  auto& save = opened.find<QPushButton>("save_chosen");
  CHECK_FALSE(save.isEnabled());
  opened.find<SettlingSlider>("tradeoff").setValue(700);
  CHECK(save.isEnabled());
  QSignalSpy wanted(opened.page.get(), &WorkspacePage::save_wanted);
  save.click();
  CHECK(wanted.count() == 1);
  RunHistory::of(opened.editor).set_run_policy(opened.editor.policy());
  CHECK_FALSE(save.isEnabled());
  opened.editor.pin(3, opened.editor.policy().layers[3]);  // changes no layer, but is a decision
  CHECK(save.isEnabled());
}

TEST_CASE("a gesture of the slider is one undo step") {
  Opened opened;
  auto& slider = opened.find<SettlingSlider>("tradeoff");
  slider.setSliderDown(true);
  for (const int value : {500, 600, 700}) slider.setValue(value);
  slider.setSliderDown(false);
  CHECK(opened.editor.undo().count() == 1);
  opened.editor.undo().undo();
  CHECK(slider.value() == 400);
  opened.editor.undo().redo();
  CHECK(slider.value() == 700);
  QSignalSpy settled(&slider, &SettlingSlider::settled);
  QTest::keyClick(&slider, Qt::Key_Right);
  CHECK(settled.wait(patience_ms));
  CHECK(opened.editor.undo().count() == 2);
}

TEST_CASE("a layer that is selected anywhere is selected everywhere") {
  Opened opened;
  CHECK(opened.page->selected_layer() == 1);  // the first that is not dense
  auto& heatmap = opened.find<MatrixPlot>("layers_plot");
  emit heatmap.row_clicked(4);
  CHECK(opened.page->selected_layer() == 4);
  CHECK(opened.text("layer_title").startsWith("Layer 4"));
  CHECK(opened.find<QTableView>("layer_table").currentIndex().row() == 4);
  opened.find<QTableView>("layer_table").sortByColumn(LayerModel::layer, Qt::DescendingOrder);
  CHECK(opened.page->selected_layer() == 4);
  opened.find<QLineEdit>("layer_search").setText("nothing like it");
  opened.page->select_layer(2);
  CHECK(opened.page->selected_layer() == 2);
  CHECK(opened.find<QLineEdit>("layer_search").text().isEmpty());
}

TEST_CASE("the table can be searched") {
  Opened opened;
  opened.editor.pin(2, LayerPolicy::top(12));
  opened.find<QLineEdit>("layer_search").setText("TOP 12");
  const auto& found = *opened.find<QTableView>("layer_table").model();
  CHECK(found.rowCount() == 1);
  opened.find<QLineEdit>("layer_search").setText(" 1");
  REQUIRE(found.rowCount() == 1);
  CHECK(found.index(0, LayerModel::layer).data().toString() == "1");
  opened.find<QLineEdit>("layer_search").clear();
  CHECK(opened.page->selected_layer() >= 0);
  opened.find<QLineEdit>("layer_search").setText("0.08");  // appears as the loss of a layer but in no policy
  CHECK(found.rowCount() == 0);
}

TEST_CASE("a layer's own slider pins it, and the pin button releases it") {
  Opened opened;
  opened.page->select_layer(3);
  auto& slider = opened.find<SettlingSlider>("layer_slider");
  auto& pin = opened.find<QCheckBox>("pin");
  CHECK_FALSE(pin.isChecked());
  slider.setValue(slider.maximum());
  CHECK(opened.editor.pins().contains(3));
  CHECK(pin.isChecked());
  CHECK(opened.cell(3, LayerModel::pinned) == "●");
  CHECK(opened.find<QPushButton>("reset_pins").isEnabled());
  pin.click();
  CHECK(opened.editor.pins().empty());
  pin.click();
  CHECK(opened.editor.pins().contains(3));
  opened.find<QPushButton>("reset_pins").click();
  CHECK(opened.editor.pins().empty());
  CHECK_FALSE(opened.find<QPushButton>("reset_pins").isEnabled());
}

TEST_CASE("the threshold line pins the layer and shows its consequence") {
  Opened opened;
  opened.editor.set_tradeoff(0.8);
  opened.editor.commit();
  opened.page->select_layer(2);
  auto& plot = opened.find<RoutingPlot>("routing_plot");
  REQUIRE(plot.threshold());
  auto& canvas = *plot.findChild<QCustomPlot*>();
  const double before = *plot.threshold();
  const int steps = opened.editor.undo().count();
  for (int i = 0; i < 3; ++i) QTest::keyPress(&canvas, Qt::Key_Right);
  QTest::keyRelease(&canvas, Qt::Key_Right);
  CHECK(*plot.threshold() > before);
  CHECK(opened.editor.pins().at(2).threshold == *plot.threshold());
  CHECK(opened.editor.undo().count() == steps + 1);
  CHECK(canvas.accessibleDescription().startsWith("At τ = "));
  CHECK(opened.text("layer_title").contains("pinned"));
}

TEST_CASE("a layer that is dense or top-k becomes a threshold layer when its line is dragged") {
  Opened opened;
  for (const LayerPolicy& policy : {LayerPolicy::dense(), LayerPolicy::top(12)}) {
    opened.page->select_layer(2);
    opened.editor.pin(2, policy);
    opened.editor.commit();
    auto& plot = opened.find<RoutingPlot>("routing_plot");
    auto& canvas = *plot.findChild<QCustomPlot*>();
    CHECK_FALSE(plot.threshold());
    QTest::keyPress(&canvas, Qt::Key_Right);
    QTest::keyRelease(&canvas, Qt::Key_Right);
    REQUIRE(plot.threshold());
    CHECK(opened.editor.policy().layers[2].kind == LayerPolicy::Kind::threshold);
    const double experts = opened.editor.policy().layers[2].mean_experts;
    if (policy.kind == LayerPolicy::Kind::top_k) CHECK(experts == doctest::Approx(12).epsilon(0.15));
    CHECK(plot.caption().startsWith("At τ = "));
    opened.editor.undo().undo();
    CHECK_FALSE(plot.threshold());
  }
}

TEST_CASE("a degenerate router is marked in the table and described above its plots") {
  auto show = testing::example_show();
  show["profile"]["layers"][2]["warnings"] = {
      {{"message", "Layer 2: 20 of 48 routed experts never run."}, {"hint", "Use fewer experts."}}};
  Opened opened(show);
  const auto& model = *opened.find<QTableView>("layer_table").model();
  CHECK(model.index(2, LayerModel::layer).data().toString() == "⚠ 2");
  CHECK(model.index(2, LayerModel::layer).data(Qt::ToolTipRole).toString().contains("Use fewer experts."));
  CHECK(model.index(1, LayerModel::layer).data().toString() == "1");
  CHECK(opened.find<QLabel>("router_warning").isHidden());
  opened.page->select_layer(2);
  CHECK(opened.text("router_warning").contains("never run. Use fewer experts."));
  CHECK_FALSE(opened.find<QLabel>("router_warning").isHidden());
}

TEST_CASE("the load is shown for every file of the text, with a sentence on how similar the files are") {
  auto show = testing::example_show();
  auto& layer = show["profile"]["layers"][1];
  layer["stability"] = 0.62;
  layer["domain_load"] = {layer["expert_load"], std::vector<double>(testing::example_routed, 0.5)};
  layer["loads"] = nlohmann::json::array();
  Opened opened(show);
  auto& load = opened.find<LoadPlot>("load_plot");
  opened.page->select_layer(0);
  CHECK(load.caption().isEmpty());
  opened.page->select_layer(1);
  CHECK(load.caption().startsWith("○\u00a0stories-train.txt  ◆\u00a0books-train.txt"));
  CHECK(load.caption().endsWith("The texts use mostly the same experts (correlation 0.620)."));
  CHECK(load.csv().startsWith(
      "expert,share of tokens,share of load,share of tokens of stories-train.txt,share of tokens of books"));
}

TEST_CASE("load and heatmap are those of the chosen policy, or say what they show instead") {
  auto show = testing::example_show();
  show["profile"]["layers"][4]["loads"] = nlohmann::json::array();
  Opened opened(show);
  opened.editor.pin(4, LayerPolicy::top(24));
  opened.find<QTabWidget>("all_layers").setCurrentIndex(1);
  auto& load = opened.find<LoadPlot>("load_plot");
  auto& heatmap = opened.find<MatrixPlot>("layers_plot");
  const auto share = [&](int layer) {
    return heatmap.csv().split('\n')[layer + 1].split(',')[1].toDouble() / 100;
  };
  const auto counted = testing::example_profile().layers[2].loads;
  for (const auto& one : counted) {
    opened.editor.pin(2, one.policy);
    opened.page->select_layer(2);
    CHECK(load.empty() == (one.policy.mean_experts == 0));
    CHECK(load.csv().split('\n')[1].split(',')[1].toDouble() ==
          doctest::Approx(one.experts[0]).epsilon(0.001));
    CHECK(share(2) == doctest::Approx(one.experts[0]).epsilon(0.001));
  }
  CHECK(load.title() == "Expert load");
  CHECK(heatmap.title().contains("not this policy"));  // because of layer 4
  opened.editor.pin(2, LayerPolicy::dense());
  CHECK(load.empty());
  CHECK(load.empty_words().contains("dense"));
  CHECK(heatmap.csv().split('\n')[3].endsWith(",,"));
  opened.page->select_layer(4);
  CHECK(load.title() == "Expert load (half of the experts on; not this policy)");
  CHECK(share(4) == doctest::Approx(testing::example_profile().layers[4].expert_load[0]));
}

TEST_CASE("without a profile a converted layer keeps its policy, and the plots say what is missing") {
  Opened opened(show_with({.not_converted = 3}, "profile"));
  opened.page->select_layer(2);
  opened.editor.pin(2, LayerPolicy::above(0.02));
  CHECK(opened.text("layer_title").contains("64 experts"));
  auto& plot = opened.find<RoutingPlot>("routing_plot");
  CHECK(plot.empty());
  CHECK(plot.empty_words().contains("profile.json"));
  CHECK(plot.caption().startsWith("At τ = 0.0200"));
  CHECK(opened.find<LoadPlot>("load_plot").empty_words().contains("profile.json"));
  opened.page->select_layer(3);
  CHECK(plot.empty_words().contains("was not converted"));
  CHECK(plot.caption().contains("was not converted"));
}

TEST_CASE("rows that a pin changed are marked, and one click puts them back") {
  Opened opened;
  const Policy before = opened.editor.policy();
  auto& keep = opened.find<QPushButton>("keep_others");
  CHECK_FALSE(keep.isEnabled());
  const QAbstractItemModel& model = *opened.find<QTableView>("layer_table").model();
  const auto marked = [&](int layer) {
    return model.index(layer, LayerModel::policy).data(Qt::BackgroundRole).isValid();
  };
  opened.page->select_layer(2);
  opened.editor.pin(2, LayerPolicy::dense());
  opened.editor.commit();
  const auto changed = opened.editor.changed_layers();
  REQUIRE_FALSE(changed.empty());
  for (int layer = 0; layer < 6; ++layer) CHECK(marked(layer) == (std::ranges::count(changed, layer) > 0));
  CHECK(model.index(changed[0], LayerModel::policy).data(Qt::FontRole).value<QFont>().underline());
  CHECK(opened.text("others").contains("changed to keep the budget"));
  REQUIRE(keep.isEnabled());
  keep.click();
  for (const int layer : changed)
    CHECK(opened.editor.policy().layers[std::size_t(layer)] == before.layers[std::size_t(layer)]);
  CHECK(opened.editor.policy().layers[2] == LayerPolicy::dense());
  CHECK_FALSE(keep.isEnabled());
  CHECK(opened.text("others").contains("until you move the trade-off slider"));
  CHECK(QTest::qWaitFor([&] { return !marked(changed[0]); }, patience_ms));  // only for a moment
  opened.find<SettlingSlider>("tradeoff").setValue(700);
  for (int layer = 0; layer < 6; ++layer) CHECK_FALSE(marked(layer));
}

TEST_CASE("several selected layers are pinned together: by the slider, dense, and with a top-k") {
  Opened opened(show_with({.not_converted = 3}));
  auto& table = opened.find<QTableView>("layer_table");
  table.setCurrentIndex(table.model()->index(1, 0));
  table.setFocus();
  for (int i = 0; i < 3; ++i) QTest::keyClick(&table, Qt::Key_Down, Qt::ShiftModifier);
  CHECK(opened.find<QCheckBox>("pin").text().contains("3 layers"));  // one was not converted
  const auto pin_as = [&](const QString& words) {
    QMenu& menu = *opened.find<QToolButton>("pin_as").menu();
    emit menu.aboutToShow();
    for (QAction* action : menu.actions())
      if (action->text() == words) return action->trigger();
    FAIL(words.toStdString());
  };
  const auto policy_of = [&](std::size_t layer) { return opened.editor.policy().layers[layer]; };
  pin_as(in_words(LayerPolicy::top(12)));
  for (const std::size_t layer : {1, 2, 4}) CHECK(policy_of(layer).k == 12);
  pin_as("dense");
  for (const std::size_t layer : {1, 2, 4}) CHECK(policy_of(layer) == LayerPolicy::dense());
  CHECK(opened.editor.undo().count() == 2);
  auto& slider = opened.find<SettlingSlider>("layer_slider");
  slider.setValue(4);
  for (const std::size_t layer : {1, 2, 4}) CHECK(policy_of(layer).mean_experts == doctest::Approx(30.8));
  CHECK(policy_of(1).threshold != policy_of(2).threshold);  // each has its own ladder
  CHECK(opened.editor.pins().size() == 3);
  opened.find<QCheckBox>("pin").click();
  CHECK(opened.editor.pins().empty());
}

TEST_CASE("the column of policies fits those that no layer has yet") {
  Opened opened;
  auto& table = opened.find<QTableView>("layer_table");
  opened.editor.pin(2, LayerPolicy::top(0));
  CHECK(table.columnWidth(LayerModel::policy) >=
        table.sizeHintForIndex(table.model()->index(2, LayerModel::policy)).width());
}

TEST_CASE("all layers can be seen at a glance, and selected there") {
  Opened opened;
  auto& ridges = opened.find<RidgePlot>("ridge_plot");
  CHECK(ridges.isVisible());
  CHECK_FALSE(ridges.empty());
  const auto line = [&](int layer) { return ridges.csv().split('\n')[layer + 1]; };
  opened.editor.pin(2, LayerPolicy::above(0.02));
  CHECK(line(2).contains(",0.02,"));
  emit ridges.row_clicked(4);
  CHECK(opened.page->selected_layer() == 4);
  CHECK(opened.text("layer_title").startsWith("Layer 4"));
}

TEST_CASE("layers that stay dense or were not converted say so") {
  Opened opened(show_with({.not_converted = 3}));
  opened.page->select_layer(3);
  CHECK(opened.find<RoutingPlot>("routing_plot").empty());
  CHECK_FALSE(opened.find<SettlingSlider>("layer_slider").isEnabled());
  CHECK(opened.cell(3, LayerModel::policy) == "not converted");
  opened.page->select_layer(1);
  opened.editor.pin(1, LayerPolicy::dense());
  CHECK_FALSE(opened.find<RoutingPlot>("routing_plot").threshold());
  CHECK(opened.find<RoutingPlot>("routing_plot").caption().contains("Drag the dashed line"));
  CHECK(opened.find<SettlingSlider>("layer_slider").value() == 0);
}

TEST_CASE("the cost can be chosen if milliseconds are worth it; otherwise the reason is shown") {
  Opened opened;
  auto& costs = opened.find<QComboBox>("cost");
  emit costs.activated(1);
  CHECK(opened.editor.cost() == Cost::decode_ms);
  const auto* axis = opened.find<QCustomPlot>("frontier_canvas").xAxis;
  CHECK(axis->label().contains("milliseconds"));
  CHECK(axis->range().upper < 10);
  CHECK(opened.find<QLabel>("why_no_milliseconds").isHidden());
  opened.editor.undo().undo();
  CHECK(costs.currentIndex() == 0);

  Opened slow(show_with({.dense_ms = 0.005}));
  CHECK(slow.text("why_no_milliseconds").contains("no policy decodes faster than dense"));
  CHECK_FALSE(slow.find<QLabel>("why_no_milliseconds").isHidden());
  auto* items = qobject_cast<QStandardItemModel*>(slow.find<QComboBox>("cost").model());
  CHECK_FALSE(items->item(1)->isEnabled());
}

TEST_CASE("measuring runs in the background and its result is kept") {
  Opened opened;
  CHECK(opened.text("measured_sentence").contains("not been measured"));
  opened.find<QPushButton>("measure").click();
  CHECK_FALSE(opened.find<QPushButton>("measure").isEnabled());
  REQUIRE(opened.comes("measured_sentence", "<b>Measured: KL 0.0345"));
  CHECK(opened.text("measured_sentence").contains("the prediction"));
  REQUIRE(RunHistory::of(opened.editor).measurements().size() == 1);
  CHECK(RunHistory::of(opened.editor).measurements()[0].policy.layers == opened.editor.policy().layers);
  opened.find<SettlingSlider>("tradeoff").setValue(900);
  CHECK(opened.text("measured_sentence").contains("not been measured"));
  opened.editor.undo().undo();
  CHECK(opened.text("measured_sentence").contains("0.0345"));
}

TEST_CASE("warnings of the engine appear beside the measured numbers") {
  std::string warned = measuring;
  warned.insert(warned.find("  echo '{\"event\":\"progress\""),
                "  echo '{\"event\":\"warning\",\"message\":\"The measurement is not kept: "
                "read-only.\",\"hint\":\"Copy "
                "the run.\",\"id\":'$id'}'\n");
  Opened opened(testing::example_show(), warned);
  opened.find<QPushButton>("measure").click();
  REQUIRE(opened.comes("measured_sentence", "is not kept: read-only. Copy the run."));
  CHECK(opened.text("measured_sentence").contains("<b>Measured: KL 0.0345"));
}

TEST_CASE("if the cost is milliseconds they are also measured, and place the mark") {
  BenchResult bench;
  bench.decode.converted_tokens_per_s = 800;
  bench.prefill.converted_tokens_per_s = 8000;
  const std::string timed = R"sh(echo '{"event":"ready"}'
while read -r line; do
  id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case "$line" in
    *bench*) echo '{"event":"result",)sh" +
                            testing::members(to_json(bench)) + R"sh(,"id":'$id'}' ;;
    *) )sh" + testing::keeping(testing::example_measurement(testing::example_policy(), 0.0345)) +
                            R"sh(
       echo '{"event":"result",)sh" +
                            testing::members(to_json(testing::example_evaluation())) + R"sh(,"id":'$id'}' ;;
  esac
done)sh";
  Opened opened(testing::example_show(), timed);
  opened.editor.set_cost(Cost::decode_ms);
  opened.find<QPushButton>("measure").click();
  REQUIRE(opened.comes("measured_sentence", "1.25 ms per token decoding"));
  const auto& measured = RunHistory::of(opened.editor).measurements();
  REQUIRE(measured.size() == 1);
  CHECK(*measured[0].numbers.prefill_ms == 0.125);
  CHECK(opened.find<FrontierPlot>("frontier_plot").csv().contains("measured,,1.25,0.0345"));
}

TEST_CASE("measuring says what it waits for") {
  Opened opened(testing::example_show(), waiting);
  opened.serve.bench({});
  REQUIRE(QTest::qWaitFor([&] { return opened.serve.loaded(); }, patience_ms));
  opened.find<QPushButton>("measure").click();
  bool told = false;
  for (const auto* label : opened.page->findChildren<QLabel*>())
    told = told || (label->isVisible() && label->text().contains("earlier request"));
  CHECK(told);
}

TEST_CASE("measuring can be canceled, and a failure gives a message") {
  Opened opened(testing::example_show(), waiting);
  opened.find<QPushButton>("measure").click();
  REQUIRE(QTest::qWaitFor([&] { return opened.serve.loaded(); }, patience_ms));
  opened.find<QPushButton>("cancel_measuring").click();
  CHECK(opened.comes("measured_sentence", "was cancelled"));
  CHECK(opened.find<QPushButton>("measure").isEnabled());

  Opened broken(testing::example_show(), failing);
  broken.find<QPushButton>("measure").click();
  CHECK(broken.comes("measured_sentence", "The held-out text is gone. Bring it back."));
  CHECK(RunHistory::of(broken.editor).measurements().empty());
}

TEST_CASE("every control has a name and a tip") {
  Opened opened;
  for (const char* name :
       {"tradeoff", "layer_slider", "cost", "measure", "reset_pins", "pin", "layer_search"}) {
    const auto& control = opened.find<QWidget>(name);
    CAPTURE(name);
    CHECK_FALSE(control.toolTip().isEmpty());
    CHECK(control.focusPolicy() != Qt::NoFocus);
  }
}

// LADIMO_PICTURES=FOLDER keeps the pictures, so that they can be looked at; QT_SCALE_FACTOR=2 draws them as
// on a high-resolution screen.
TEST_CASE("every state can be drawn, light and dark") {
  const QString pictures = qEnvironmentVariable("LADIMO_PICTURES");
  const auto keep = [&](Opened& opened, const QString& name) {
    opened.page->resize(1280, 860);
    QTest::qWait(pictures.isEmpty() ? 0 : 300);
    const QPixmap image = opened.page->grab();
    CHECK_FALSE(image.isNull());
    if (!pictures.isEmpty()) CHECK(image.save(pictures + "/workspace-" + name + ".png"));
  };
  auto measured = testing::example_show();
  const Policy policy = testing::example_policy();
  measured["measurements"].push_back(
      to_json(testing::example_measurement(policy, 1.1 * policy.predicted.kl)));
  auto& layer = measured["profile"]["layers"][2];
  layer["warnings"] = {
      {{"message", "Layer 2: 20 of 48 routed experts never run."},
       {"hint", "Use fewer experts, or calibrate on text closer to what the model will see."}}};
  layer["stability"] = 0.62;
  layer["domain_load"] = {layer["expert_load"], testing::example_profile().layers[4].expert_load};
  Policy calm = policy;
  calm.layers[0] = LayerPolicy::dense();
  calm.layers[1] = LayerPolicy::dense();
  measured["policies"]["calm"] = to_json(calm);
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Opened six(measured);
    six.page->select_layer(2);
    keep(six, "6-" + tint);
    six.editor.pin(2, LayerPolicy::top(12));
    keep(six, "top-" + tint);
    Opened eighty(show_with({.layers = 80}, "latency"));
    eighty.page->select_layer(12);
    keep(eighty, "80-" + tint);
    Opened odd(show_with({.layers = 32, .not_converted = 3, .dense_ms = 0.005}));
    odd.page->select_layer(3);
    keep(odd, "not-converted-" + tint);
    odd.page->select_layer(1);
    odd.editor.pin(1, LayerPolicy::dense());
    keep(odd, "dense-" + tint);
    Opened grains(testing::example_show({.layers = 32, .not_converted = 3, .cuts = true}));
    grains.page->select_layer(3);
    grains.editor.set_allowed(Allowed::all_grains);
    grains.editor.set_tradeoff(0.5);
    grains.editor.commit();
    auto& grain = grains.find<QComboBox>("grain");
    grain.setCurrentIndex(1);
    emit grain.activated(1);
    keep(grains, "grains-" + tint);
    Opened busy(measured, waiting);
    busy.editor.set_cost(Cost::decode_ms);
    busy.find<QPushButton>("measure").click();
    if (!pictures.isEmpty()) QTest::qWait(1000);
    keep(busy, "measuring-" + tint);
  }
  QApplication::setPalette(QPalette());
}
