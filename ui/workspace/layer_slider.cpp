#include "ui/workspace/layer_slider.h"

#include <algorithm>
#include <cmath>

#include <QCheckBox>
#include <QHBoxLayout>
#include <QLabel>

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
      pin_(new QCheckBox(tr("&Pin"))),
      accurate_(new QLabel(tr("accuracy"))),
      slider_(new SettlingSlider),
      cheap_(new QLabel(editor.run().latency ? tr("speed") : tr("fewer parameters"))) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->addWidget(pin_);
  row->addWidget(accurate_);
  row->addWidget(slider_, 1);
  row->addWidget(cheap_);
  pin_->setObjectName(QStringLiteral("pin"));
  pin_->setToolTip(tr("A pinned layer keeps its policy; the others are solved around it"));
  slider_->setObjectName(QStringLiteral("layer_slider"));
  slider_->setPageStep(1);
  slider_->setTickPosition(QSlider::TicksBelow);
  slider_->setAccessibleName(tr("Accuracy against latency of the selected layer"));
  slider_->setToolTip(
      tr("This layer's own trade-off, from dense to the fewest experts; moving it pins the "
         "layer"));
  connect(pin_, &QCheckBox::clicked, this, &LayerSlider::toggle_pin);
  connect(slider_, &SettlingSlider::moved, this, [this](int rung) {
    LayerPolicy policy = ladder_[static_cast<std::size_t>(rung)];
    policy.cuts = editor_.policy().layers[static_cast<std::size_t>(layer_)].cuts;
    editor_.pin(layer_, policy);
  });
  connect(slider_, &SettlingSlider::settled, &editor_, &PolicyEditor::commit);
  connect(&editor_, &PolicyEditor::changed, this, &LayerSlider::follow);
}

void LayerSlider::select_layer(int layer) {
  layer_ = layer;
  ladder_ = ladder_of(editor_.run().tradeoff->layers[static_cast<std::size_t>(layer)]);
  slider_->setEnabled(ladder_.size() > 1);
  pin_->setEnabled(ladder_.size() > 1);
  const QSignalBlocker silence(slider_);
  slider_->setRange(0, static_cast<int>(ladder_.size()) - 1);
  follow();
}

void LayerSlider::follow() {
  if (layer_ < 0) return;
  const LayerPolicy& policy = editor_.policy().layers[static_cast<std::size_t>(layer_)];
  slider_->show_value(rung_of(ladder_, policy));
  pin_->setChecked(editor_.pins().contains(layer_));
  slider_->setAccessibleDescription(in_words(policy));
}

void LayerSlider::toggle_pin(bool pinned) {
  if (!pinned) return editor_.unpin(layer_);
  editor_.commit();
  editor_.pin(layer_, editor_.policy().layers[static_cast<std::size_t>(layer_)]);
  editor_.commit();
}

}  // namespace ladimo::ui
