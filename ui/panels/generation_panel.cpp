#include "ui/panels/generation_panel.h"

#include <algorithm>

#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/continuation.h"
#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/panels/generation_side.h"
#include "ui/panels/tint_legend.h"
#include "ui/panels/token_view.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int most_tokens = 8192;

/// The experts on per converted layer that the policy predicts; 0 if all layers are dense.
double mean_experts(const Policy& policy) {
  double sum = 0;
  int layers = 0;
  for (const LayerPolicy& layer : policy.layers) {
    if (layer.kind == LayerPolicy::Kind::dense) continue;
    sum += layer.mean_experts;
    ++layers;
  }
  return layers > 0 ? sum / layers : 0;
}

void add_field(QGridLayout& grid, int column, const QString& words, QWidget& field, const QString& tip) {
  auto* label = new QLabel(words);
  label->setBuddy(&field);
  QString name = words;
  field.setAccessibleName(name.remove('&'));
  field.setToolTip(tip);
  label->setToolTip(tip);
  grid.addWidget(label, 0, column);
  grid.setColumnMinimumWidth(column, label->sizeHint().width() + spacing(field));
  grid.addWidget(&field, 1, column);
}

}  // namespace

GenerationPanel::GenerationPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                                 QWidget* parent)
    : QWidget(parent),
      run_(std::move(run)),
      editor_(editor),
      serve_(serve),
      prompt_(new QPlainTextEdit),
      max_tokens_(new QSpinBox),
      temperature_(new QDoubleSpinBox),
      seed_(new QSpinBox),
      button_(new QPushButton(tr("&Generate"))),
      dense_(new GenerationSide(GenerationSide::Model::dense)),
      converted_(new GenerationSide(GenerationSide::Model::converted)),
      legend_(new TintLegend),
      pointed_(new QLabel) {
  setObjectName(QStringLiteral("generation_panel"));
  make_controls();
  lay_out();
  set_scale();
  connect(button_, &QPushButton::clicked, this, &GenerationPanel::start_or_stop);
  connect(temperature_, &QDoubleSpinBox::valueChanged, seed_,
          [this](double temperature) { seed_->setEnabled(temperature > 0); });
  connect(&serve_, &ServeClient::moved_up, this, &GenerationPanel::show_waiting);
  connect(&serve_, &ServeClient::token, this, &GenerationPanel::show_token);
  connect(&serve_, &ServeClient::finished, this, &GenerationPanel::finish);
  connect(&editor_, &PolicyEditor::changed, this, [this] {
    if (request_ == 0 && converted_->view().token_count() == 0) set_scale();
  });
  for (GenerationSide* side : {dense_, converted_})
    connect(&side->view(), &TokenView::pointed, this, [this, side](int token) { point_at(*side, token); });
}

void GenerationPanel::make_controls() {
  prompt_->setPlainText(tr("Once upon a time"));
  prompt_->setObjectName(QStringLiteral("prompt"));
  prompt_->setAccessibleName(tr("Prompt"));
  prompt_->setToolTip(tr("The text that both models continue. Press Ctrl+Return to generate."));
  prompt_->setTabChangesFocus(true);
  prompt_->setFixedHeight(4 * fontMetrics().lineSpacing());
  prompt_->installEventFilter(this);
  max_tokens_->setRange(1, most_tokens);
  max_tokens_->setValue(128);
  max_tokens_->setObjectName(QStringLiteral("max_tokens"));
  temperature_->setRange(0, 2);
  temperature_->setSingleStep(0.1);
  temperature_->setDecimals(2);
  temperature_->setObjectName(QStringLiteral("temperature"));
  seed_->setRange(0, 999'999'999);
  seed_->setEnabled(false);
  seed_->setObjectName(QStringLiteral("seed"));
  button_->setObjectName(QStringLiteral("generate"));
  button_->setToolTip(tr("Both models continue the prompt, one after the other (Ctrl+Return)"));
  pointed_->setObjectName(QStringLiteral("pointed"));
  pointed_->setWordWrap(true);
  pointed_->setAlignment(Qt::AlignTop);
  pointed_->setMinimumHeight(2 * fontMetrics().lineSpacing());
}

void GenerationPanel::lay_out() {
  const int space = spacing(*this);
  auto* controls = new QGridLayout;
  controls->setHorizontalSpacing(space);
  auto* prompt_label = new QLabel(label_of(Setting::prompt));
  prompt_label->setBuddy(prompt_);
  controls->addWidget(prompt_label, 0, 0);
  controls->addWidget(prompt_, 1, 0, 2, 1);
  controls->setColumnStretch(0, 1);
  add_field(*controls, 1, label_of(Setting::max_tokens), *max_tokens_,
            tr("Generation stops after this many tokens"));
  add_field(*controls, 2, label_of(Setting::temperature), *temperature_,
            tr("0 always picks the most likely token; higher values sample from more tokens"));
  add_field(*controls, 3, tr("&Seed"), *seed_,
            tr("The same seed samples the same tokens. At temperature 0 it has no effect."));
  controls->addWidget(button_, 2, 1, 1, 3);

  auto* sides = new QHBoxLayout;
  sides->setSpacing(2 * space);
  sides->addWidget(dense_, 1);
  sides->addWidget(converted_, 1);
  auto* bottom = new QHBoxLayout;
  bottom->setSpacing(2 * space);
  bottom->addWidget(pointed_, 1);
  bottom->addWidget(legend_, 0, Qt::AlignTop | Qt::AlignRight);
  bottom->addWidget(new HelpMark(Help::generation, *this), 0, Qt::AlignTop);

  auto* page = new QVBoxLayout(this);
  page->setContentsMargins(2 * space, 2 * space, 2 * space, space);
  page->setSpacing(space);
  page->addLayout(controls);
  page->addLayout(sides, 1);
  page->addLayout(bottom);
}

// Tokens differ from the mean by a few experts only, so the tint covers that range.
void GenerationPanel::set_scale() {
  legend_->setVisible(!run_->recipe.layers.empty());
  const double routed = run_->recipe.routed();
  const double mean = mean_experts(editor_.policy());
  const double few = mean / 2, many = mean > 0 ? std::min(1.5 * mean, routed) : routed;
  converted_->view().set_scale(few, many);
  legend_->set_ends(tr("%1 or fewer").arg(number_text(few)),
                    tr("at least %1 of %2 experts on per layer").arg(number_text(many)).arg(routed));
}

void GenerationPanel::start_or_stop() {
  if (request_ != 0) {
    serve_.cancel(request_);
  } else {
    start();
  }
}

void GenerationPanel::start() {
  set_scale();
  pointed_->clear();
  prompt_sent_ = prompt_->toPlainText();
  dense_begun_ = converted_begun_ = false;
  converted_->wait();
  button_->setText(tr("&Stop"));
  request_ = serve_.generate({.prompt = prompt_sent_,
                              .max_tokens = max_tokens_->value(),
                              .temperature = temperature_->value(),
                              .seed = seed_->value(),
                              .dense = true,
                              .converted = true,
                              .policy = editor_.policy()});
  show_waiting();
}

void GenerationPanel::show_waiting() {
  if (request_ == 0 || dense_begun_) return;
  const QString why = serve_.waits_for(request_);
  if (why.isEmpty())
    dense_->begin(prompt_sent_);
  else
    dense_->hold(why);
}

void GenerationPanel::show_token(int request, const TokenEvent& event) {
  if (request != request_) return;
  GenerationSide& side = event.converted ? *converted_ : *dense_;
  bool& begun = event.converted ? converted_begun_ : dense_begun_;
  if (!begun) side.begin(prompt_sent_);
  begun = true;
  side.append(event);
}

void GenerationPanel::finish(int request, const Outcome& outcome) {
  if (request != request_) return;
  request_ = 0;
  button_->setText(tr("&Generate"));
  if (outcome.done()) {
    show_result(outcome);
  } else {
    dense_->end(outcome);
    converted_->end(outcome);
  }
}

void GenerationPanel::show_result(const Outcome& outcome) {
  try {
    const Continuations written = continuations_from_json(parse_answer(outcome.output));
    if (!written.dense || !written.converted)
      refuse_answer("The engine's answer is missing one of the models.");
    dense_->finish(dense_->view().token_count(), written.dense->tokens_per_s);
    converted_->finish(converted_->view().token_count(), written.converted->tokens_per_s);
  } catch (const Refusal& refusal) {
    for (GenerationSide* side : {dense_, converted_}) side->end(failure_of({refusal.problem()}));
  }
}

void GenerationPanel::point_at(GenerationSide& side, int token) {
  pointed_->setText(token < 0 ? QString() : side.view().summary(token));
}

bool GenerationPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == prompt_ && event->type() == QEvent::KeyPress) {
    const auto& key = static_cast<const QKeyEvent&>(*event);
    const bool enter = key.key() == Qt::Key_Return || key.key() == Qt::Key_Enter;
    if (enter && key.modifiers().testFlag(Qt::ControlModifier)) {
      button_->animateClick();
      return true;
    }
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace ladimo::ui
