#include "ui/wizard/experts_page.h"

#include <limits>

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QLineEdit>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>

#include "policy/moe_class.h"
#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"
#include "ui/plots/partition_picture.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"
#include "ui/wizard/conversion_arguments.h"
#include "ui/wizard/experts_page_config.h"
#include "ui/wizard/knob.h"
#include "ui/wizard/partition_sampler.h"
#include "ui/wizard/text_page_config.h"

namespace ladimo::ui {
namespace {

constexpr int most = std::numeric_limits<int>::max();
const char* const sensitivities[] = {"auto", "Measured", "Estimated"};

template <class Value>
auto setter(ExpertsPageConfig& config, Value Recipe::*member) {
  return [&config, member](int value) { config.change([&](Recipe& recipe) { recipe.*member = value; }); };
}

void show_flag(QCheckBox& box, bool on) {
  const QSignalBlocker blocker(box);
  box.setChecked(on);
}

}  // namespace

ExpertsPage::ExpertsPage(ExpertsPageConfig& config, const TextPageConfig& text, PartitionSampler& sampler,
                         QWidget* parent)
    : WizardPage(parent), config_(config), text_(text), sampler_(sampler), reason_(new Note) {
  setObjectName(QStringLiteral("experts_page"));
  setTitle(tr("Choose the experts"));
  setSubTitle(
      tr("Every FFN is split into equal slices of neurons, the experts. Shared experts always run; a router "
         "decides for every token which of the others run. You choose how many later, with the slider."));

  auto* knobs = new QScrollArea;
  knobs->setWidget(make_knobs());
  knobs->setWidgetResizable(true);
  knobs->setFrameShape(QFrame::NoFrame);
  knobs->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  auto* right = new QVBoxLayout;
  right->addWidget(make_picture(), 1);
  right->addWidget(make_estimates());
  auto* columns = new QHBoxLayout;
  columns->setSpacing(2 * spacing(*this));
  columns->addWidget(knobs, 4);
  columns->addLayout(right, 5);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(columns, 1);
  layout->addWidget(reason_);
  reason_->setMinimumHeight(2 * reason_->fontMetrics().lineSpacing());

  connect(&config, &PageConfig::changed, this, &ExpertsPage::show_config);
  connect(&text, &PageConfig::changed, this, &ExpertsPage::show_config);
  connect(&sampler, &PartitionSampler::changed, this, &ExpertsPage::show_picture);
  show_config();
}

QWidget* ExpertsPage::make_knobs() {
  experts_ = make_number(QStringLiteral("experts"), 1, most, 1, setter(config_, &Recipe::experts));
  shared_ = make_number(QStringLiteral("shared"), 0, most, 1, setter(config_, &Recipe::shared));
  target_ = new QComboBox;
  target_->setObjectName(QStringLiteral("made_for"));
  target_->addItem(tr("Any (best in the native format)"), QString());
  for (const MoeClass& format : moe_classes())
    target_->addItem(QLatin1String(format.title), QLatin1String(format.name));
  connect(target_, &QComboBox::activated, this,
          [this](int index) { config_.set_target(target_->itemData(index).toString().toStdString()); });
  layers_ = new QLineEdit;
  layers_->setObjectName(QStringLiteral("layers"));
  connect(layers_, &QLineEdit::textEdited, this, [this](const QString& text) { config_.set_layers(text); });

  auto* column = new QWidget;
  auto* layout = new QVBoxLayout(column);
  layout->setContentsMargins(0, 0, spacing(*this), 0);
  auto* form = new QFormLayout;
  form->setRowWrapPolicy(QFormLayout::WrapAllRows);
  form->setVerticalSpacing(spacing(*this) / 2);
  add_knob(*form, label_of(Setting::experts), *experts_,
           tr("More, smaller experts let the router choose more precisely. Below 8 neurons per expert the "
              "gain is lost."));
  add_knob(*form, label_of(Setting::shared), *shared_,
           tr("Shared experts always run and hold the neurons that nearly every token needs. A quarter is a "
              "good start."));
  add_knob(*form, label_of(Setting::layers), *layers_,
           tr("\"all\", or numbers and ranges such as 0-3,7. Other layers are not split; they can still skip "
              "neurons and inputs. Most formats of other programs need all layers."));
  add_knob(*form, label_of(Setting::target), *target_,
           tr("A run for a format uses top-k routing with a linear router and no compensation for skipped "
              "experts. Choose one for the best result in llama.cpp or plain transformers."));
  layout->addLayout(form);

  fold_ = new QToolButton;
  fold_->setObjectName(QStringLiteral("advanced"));
  fold_->setText(label_of(Setting::recipe));
  fold_->setToolTip(tr("Settings that rarely need to change"));
  fold_->setCheckable(true);
  fold_->setAutoRaise(true);
  fold_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  fold_->setArrowType(Qt::RightArrow);
  layout->addWidget(fold_);
  QWidget* advanced = make_advanced();
  layout->addWidget(advanced);
  advanced->hide();
  layout->addStretch();
  connect(fold_, &QToolButton::toggled, this, [this, advanced](bool open) {
    fold_->setArrowType(open ? Qt::DownArrow : Qt::RightArrow);
    advanced->setVisible(open);
  });
  return column;
}

QWidget* ExpertsPage::make_advanced() {
  window_ = make_number(QStringLiteral("window"), 2, most, 64, setter(config_, &Recipe::window));
  seed_ = make_number(QStringLiteral("seed"), 0, most, 1, [this](int seed) {
    config_.change([&](Recipe& recipe) { recipe.seed = static_cast<std::uint64_t>(seed); });
  });
  epochs_ = make_number(QStringLiteral("epochs"), 0, 1000, 1, [this](int epochs) {
    config_.change([&](Recipe& recipe) { recipe.stage1.epochs = epochs; });
  });
  sensitivity_ = new QComboBox;
  sensitivity_->setObjectName(QStringLiteral("sensitivity"));
  sensitivity_->addItems({tr("Automatic"), tr("Measured"), tr("Estimated")});
  connect(sensitivity_, &QComboBox::activated, this, [this](int index) {
    config_.change([&](Recipe& recipe) { recipe.sensitivity = sensitivities[index]; });
  });
  const auto part = [this](const QString& name, bool Stage1::*member) {
    auto* box = new QCheckBox(name);
    connect(box, &QCheckBox::toggled, this,
            [this, member](bool on) { config_.change([&](Recipe& recipe) { recipe.stage1.*member = on; }); });
    return box;
  };
  compensation_ = part(tr("Compensate skipped experts"), &Stage1::compensation);
  refit_ = part(tr("Refit the down projections"), &Stage1::refit);
  distil_ = part(tr("Distil every layer"), &Stage1::distil);

  auto* fields = new QWidget;
  auto* form = new QFormLayout(fields);
  form->setContentsMargins({});
  form->setRowWrapPolicy(QFormLayout::WrapAllRows);
  add_knob(*form, label_of(Setting::window), *window_, tr("How many tokens of context calibration uses."));
  add_knob(*form, label_of(Setting::sensitivity), *sensitivity_,
           tr("How the effect of each policy on the predictions is found: measured is exact, estimated is "
              "faster for large models."));
  add_knob(*form, tr("Epochs"), *epochs_, tr("Passes of distillation over the calibration tokens."));
  add_knob(*form, label_of(Setting::seed), *seed_, tr("The same seed gives the same result."));
  add_knob(*form, tr("Compensation"), *compensation_,
           tr("Adds the mean output of an expert when it is skipped."));
  add_knob(*form, tr("Refit"), *refit_,
           tr("Solves for the down projections that fit best with fewer experts on."));
  add_knob(*form, tr("Distillation"), *distil_, tr("Trains each converted FFN to match the original."));
  return fields;
}

QWidget* ExpertsPage::make_picture() {
  picture_ = new PartitionPicture;
  picture_->setObjectName(QStringLiteral("partition"));
  picture_->setAccessibleName(tr("Partition of one layer"));
  connect(picture_, &PartitionPicture::failed, this,
          [this](const QString& sentence) { reason_->say(Note::Kind::wrong, sentence); });
  sampled_ = new QComboBox;
  sampled_->setObjectName(QStringLiteral("sampled_layer"));
  connect(sampled_, &QComboBox::activated, this, &ExpertsPage::ask_for_partition);
  sampled_->setToolTip(tr("The layer whose partition is drawn; later layers take slightly longer"));
  sampled_->setAccessibleName(tr("Layer whose partition is drawn"));
  auto* row = new QHBoxLayout;
  row->addWidget(new QLabel(label_of(Setting::sample)));
  row->addWidget(sampled_);
  row->addWidget(new HelpMark(Help::partition, *picture_));
  row->addStretch();
  auto* side = new QWidget;
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins({});
  layout->addLayout(row);
  layout->addWidget(picture_, 1);
  return side;
}

QWidget* ExpertsPage::make_estimates() {
  auto* table = new QWidget;
  auto* form = new QFormLayout(table);
  form->setContentsMargins({});
  form->setHorizontalSpacing(2 * spacing(*this));
  const auto add = [&](const QString& name, const char* object) {
    auto* value = new Note(Note::Kind::plain);
    value->setObjectName(QLatin1String(object));
    form->addRow(name, value);
    return value;
  };
  activated_ = add(tr("Activated parameters"), "estimate_activated");
  ram_ = add(tr("Memory"), "estimate_ram");
  disk_ = add(tr("Disk"), "estimate_disk");
  time_ = add(tr("Time"), "estimate_time");
  return table;
}

QString ExpertsPage::reason() const { return config_.is_ready() ? text_.reason() : config_.reason(); }

bool ExpertsPage::isComplete() const { return reason().isEmpty(); }

void ExpertsPage::showEvent(QShowEvent* event) {
  WizardPage::showEvent(event);
  ask_for_partition();
}

void ExpertsPage::show_config() {
  show_knobs();
  show_estimates();
  ask_for_partition();
  show_picture();
  reason_->say(reason().isEmpty() || text_.reading() ? Note::Kind::faint : Note::Kind::wrong, reason());
  tell_complete();
}

void ExpertsPage::show_knobs() {
  const Recipe& recipe = config_.recipe();
  if (config_.model() && config_.model()->described()) {
    const QSignalBlocker experts(experts_), shared(shared_);
    // The maximum may exceed what fits, so that a refused number stays visible beside the reason.
    for (QSpinBox* box : {experts_, shared_})
      box->setMaximum(static_cast<int>(config_.model()->config.intermediate_size));
  }
  show_number(*experts_, recipe.experts);
  show_number(*shared_, recipe.shared);
  if (layers_->text() != config_.layers()) layers_->setText(config_.layers());
  show_number(*window_, recipe.window);
  show_number(*seed_, static_cast<std::int64_t>(recipe.seed));
  show_number(*epochs_, recipe.stage1.epochs);
  for (int i = 0; i < 3; ++i)
    if (recipe.sensitivity == sensitivities[i]) sensitivity_->setCurrentIndex(i);
  target_->setCurrentIndex(std::max(target_->findData(QString::fromStdString(recipe.target)), 0));
  compensation_->setEnabled(recipe.target.empty());
  show_flag(*compensation_, recipe.stage1.compensation);
  show_flag(*refit_, recipe.stage1.refit);
  show_flag(*distil_, recipe.stage1.distil);
}

void ExpertsPage::show_estimates() {
  const auto& sketch = config_.sketch();
  if (!sketch) {
    for (QLabel* label : {activated_, ram_, disk_, time_}) label->setText(tr("–"));
    return;
  }
  const auto percent = [](double share) { return QString::number(100 * share, 'f', 0); };
  const auto [least, all] = config_.activated();
  activated_->setText(
      tr("%1 % to %2 % of the original by experts alone; less where neurons and inputs are skipped")
          .arg(percent(least), percent(all)));
  const auto beside = [](std::uint64_t needed, const std::optional<std::uint64_t>& there,
                         const QString& words) {
    const QString text = tr("about %1").arg(bytes_text(static_cast<double>(needed)));
    return there ? words.arg(text, bytes_text(static_cast<double>(*there))) : text;
  };
  ram_->setText(beside(sketch->ram_bytes, config_.available_ram(), tr("%1 of %2 available")));
  disk_->setText(beside(sketch->disk_bytes, config_.free_disk(), tr("%1 of %2 free")));
  const QString time = about(sketch->seconds);
  time_->setText(
      config_.pace_known() ? time : tr("%1 at a typical speed; the review measures this machine").arg(time));
}

/// Offers the layers that will be converted and keeps the chosen one among them.
void ExpertsPage::offer_layers() {
  QStringList offered, wanted;
  for (int i = 0; i < sampled_->count(); ++i) offered << sampled_->itemText(i);
  for (const int layer : config_.recipe().layers) wanted << QString::number(layer);
  if (offered == wanted) return;
  const QString chosen = sampled_->currentText();
  sampled_->clear();
  sampled_->addItems(wanted);
  sampled_->setCurrentIndex(std::max<int>(0, static_cast<int>(wanted.indexOf(chosen))));
}

void ExpertsPage::ask_for_partition() {
  const Recipe& recipe = config_.recipe();
  offer_layers();
  if (recipe.layers.empty()) return sampler_.rest(tr("No layer is split into experts."));
  if (!isVisible()) return;  // no one would see it
  if (recipe.self_text())
    return sampler_.rest(
        tr("The partition depends on the calibration text. The model has not generated it yet, so the "
           "partition is drawn during the conversion."));
  if (!isComplete()) return;
  sampler_.request(conversion_arguments(QStringLiteral("plan"), recipe, config_.model()->config,
                                        config_.run_folder() + QStringLiteral("-sample")),
                   sampled_->currentText().toInt());
}

void ExpertsPage::show_picture() {
  if (!sampler_.partition().empty())
    picture_->show_partition(sampler_.partition(), sampler_.drawing());
  else
    picture_->show_text(sampler_.drawing()              ? tr("Drawing the partition…")
                        : !sampler_.problem().isEmpty() ? sampler_.problem()
                                                        : tr("The partition of one layer appears here."));
}

void ExpertsPage::changeEvent(QEvent* event) {
  WizardPage::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) picture_->update();
}

}  // namespace ladimo::ui
