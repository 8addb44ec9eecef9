#include "ui/workspace/layer_slider.h"

#include <algorithm>
#include <cmath>

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QToolButton>

#include "ui/models/sentences.h"
#include "ui/workspace/settling_slider.h"

namespace ladimo::ui {
namespace {

/// Dense and the thresholds that are cheaper than dense, in order of rising KL.
std::vector<LayerPolicy> ladder_of(const LayerTable& layer) {
  std::vector<LayerPolicy> ladder{LayerPolicy::dense()};
  for (const Candidate& candidate : layer.candidates)
    if (candidate.policy.kind == LayerPolicy::Kind::threshold &&
        candidate.activated < layer.candidates.front().activated)
      ladder.push_back(candidate.policy);
  return ladder;
}

/// The rung with the number of experts on per token closest to the policy's.
int rung_of(const std::vector<LayerPolicy>& ladder, const LayerPolicy& policy) {
  if (policy.kind == LayerPolicy::Kind::dense || ladder.size() < 2) return 0;
  const auto distance = [&](const LayerPolicy& rung) {
    return std::abs(rung.mean_experts - policy.mean_experts);
  };
  return static_cast<int>(std::ranges::min_element(ladder.begin() + 1, ladder.end(), {}, distance) -
                          ladder.begin());
}

}  // namespace

LayerSlider::LayerSlider(PolicyEditor& editor, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      pin_(new QCheckBox(tr("P&in"))),
      pin_as_(new QToolButton),
      accurate_(new QLabel(tr("Accuracy"))),
      slider_(new SettlingSlider),
      cheap_(new QLabel(editor.run().latency ? tr("Speed") : tr("Fewer parameters"))) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->addWidget(pin_);
  row->addWidget(pin_as_);
  row->addWidget(accurate_);
  row->addWidget(slider_, 1);
  row->addWidget(cheap_);
  pin_->setObjectName(QStringLiteral("pin"));
  pin_->setToolTip(tr("A pinned layer keeps its policy; the other layers are solved around it"));
  pin_as_->setObjectName(QStringLiteral("pin_as"));
  pin_as_->setText(tr("Pin as"));
  pin_as_->setAccessibleName(tr("Pin the selected layers as"));
  pin_as_->setToolTip(tr("Pins all selected layers as dense or with a top-k"));
  pin_as_->setFocusPolicy(Qt::StrongFocus);
  pin_as_->setPopupMode(QToolButton::InstantPopup);
  pin_as_->setMenu(new QMenu(pin_as_));
  connect(pin_as_->menu(), &QMenu::aboutToShow, this, &LayerSlider::fill_menu);
  slider_->setObjectName(QStringLiteral("layer_slider"));
  slider_->setPageStep(1);
  slider_->setTickPosition(QSlider::TicksBelow);
  slider_->setAccessibleName(tr("Accuracy against latency of the selected layer"));
  slider_->setToolTip(
      tr("The selected layers' own trade-off, from dense to the fewest experts; moving it pins "
         "them"));
  connect(pin_, &QCheckBox::clicked, this, &LayerSlider::toggle_pin);
  connect(slider_, &SettlingSlider::moved, this, &LayerSlider::move);
  connect(slider_, &SettlingSlider::settled, &editor_, &PolicyEditor::commit);
  connect(&editor_, &PolicyEditor::changed, this, &LayerSlider::follow);
}

void LayerSlider::select_layers(std::vector<int> layers) {
  const auto& tables = editor_.run().tradeoff->layers;
  const auto ladder = [&](int layer) { return ladder_of(tables[static_cast<std::size_t>(layer)]); };
  converted_.clear();
  std::ranges::copy_if(layers, std::back_inserter(converted_),
                       [&](int layer) { return ladder(layer).size() > 1; });
  // The inputs of any layer can be skipped. Where the run does not know them, others have nothing to pin.
  const bool several = layers.size() > 1;
  layers_ = editor_.knows_inputs() ? std::move(layers) : converted_;
  ladder_.clear();
  if (!converted_.empty()) ladder_ = ladder(converted_.front());
  pin_->setEnabled(!layers_.empty());
  for (QWidget* control : std::initializer_list<QWidget*>{slider_, pin_as_})
    control->setEnabled(!converted_.empty());
  pin_->setText(several ? tr("P&in %1 layers").arg(layers_.size()) : tr("P&in"));
  const QSignalBlocker silence(slider_);
  slider_->setRange(0, std::max(0, static_cast<int>(ladder_.size()) - 1));
  follow();
}

void LayerSlider::follow() {
  const auto pinned = [&](int layer) { return editor_.pins().contains(layer); };
  pin_->setChecked(!layers_.empty() && std::ranges::all_of(layers_, pinned));
  if (converted_.empty()) return slider_->show_value(0);
  const LayerPolicy& policy = editor_.policy().layers[static_cast<std::size_t>(converted_.front())];
  slider_->show_value(rung_of(ladder_, policy));
  slider_->setAccessibleDescription(in_words(policy));
}

/// Every selected layer gets its own rung with the number of experts on of the first one's.
void LayerSlider::move(int rung) {
  const LayerPolicy& wanted = ladder_[static_cast<std::size_t>(rung)];
  std::vector<Pin> pins;
  for (const int layer : converted_) {
    const auto l = static_cast<std::size_t>(layer);
    const auto ladder = ladder_of(editor_.run().tradeoff->layers[l]);
    LayerPolicy policy = ladder[static_cast<std::size_t>(rung_of(ladder, wanted))];
    policy.cuts = editor_.policy().layers[l].cuts;
    pins.push_back({layer, policy});
  }
  editor_.pin(pins);
}

void LayerSlider::toggle_pin(bool pinned) {
  if (!pinned) return editor_.unpin(layers_);
  std::vector<Pin> pins;
  for (const int layer : layers_)
    pins.push_back({layer, editor_.policy().layers[static_cast<std::size_t>(layer)]});
  pin(pins);
}

void LayerSlider::fill_menu() {
  QMenu& menu = *pin_as_->menu();
  menu.clear();
  const auto& candidates =
      editor_.run().tradeoff->layers[static_cast<std::size_t>(converted_.front())].candidates;
  std::vector<LayerPolicy> top;
  for (const Candidate& candidate : candidates)
    if (candidate.policy.kind == LayerPolicy::Kind::top_k) top.push_back(candidate.policy);
  // All of dozens would fill the screen.
  constexpr std::size_t most = 9;
  std::vector<LayerPolicy> offered{LayerPolicy::dense()};
  for (std::size_t i = 0; i < std::min(most, top.size()); ++i)
    offered.push_back(top.size() <= most ? top[i] : top[i * (top.size() - 1) / (most - 1)]);
  for (const LayerPolicy& policy : offered)
    menu.addAction(in_words(policy), this, [this, policy] { pin_as(policy); });
}

/// Single inputs stay left out as they are.
void LayerSlider::pin_as(const LayerPolicy& policy) {
  std::vector<Pin> pins;
  for (const int layer : converted_) {
    LayerPolicy one = policy;
    one.cuts = editor_.policy().layers[static_cast<std::size_t>(layer)].cuts;
    pins.push_back({layer, one});
  }
  pin(pins);
}

/// One undo step.
void LayerSlider::pin(const std::vector<Pin>& pins) {
  editor_.commit();
  editor_.pin(pins);
  editor_.commit();
}

}  // namespace ladimo::ui
