#include "ui/mainwindow/start_page.h"

#include <QDir>
#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>

#include "ui/mainwindow/card.h"
#include "ui/mainwindow/smollm2_card.h"
#include "ui/models/theme.h"
#include "ui/settings/demo.h"
#include "ui/settings/settings.h"
#include "ui/widgets/scrolling.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int shown_runs = 5;
constexpr int shown_models = 3;

QLabel* heading(const QString& text, const QFont& font) {
  auto* label = new QLabel(text);
  QFont bold = font;
  bold.setBold(true);
  label->setFont(bold);
  return label;
}

}  // namespace

StartPage::StartPage(QWidget* parent)
    : QWidget(parent),
      subtitle_(new QLabel(tr("Turns a dense language model into a sparse one, and lets you choose, layer by "
                              "layer, how much accuracy to give for how much speed."))),
      nothing_recent_(new QLabel(tr("Runs and models that you open appear here."))),
      engine_(new QLabel),
      recent_(new QVBoxLayout),
      smollm2_(new Smollm2Card(Smollm2::of_program())) {
  setObjectName(QStringLiteral("start page"));
  const int space = spacing(*this);
  auto* title = new QLabel(tr("LaDiMo Studio"));
  QFont large = title_font(font());
  large.setPointSizeF(large.pointSizeF() * 1.3);
  title->setFont(large);
  subtitle_->setWordWrap(true);

  auto* columns = new QHBoxLayout;
  columns->setSpacing(4 * space);
  columns->addWidget(make_beginnings(), 3);
  columns->addWidget(make_recent(), 2);

  auto* inside = new QWidget;
  inside->setMaximumWidth(130 * space);
  auto* content = new QVBoxLayout(inside);
  content->setContentsMargins(3 * space, 3 * space, 3 * space, 2 * space);
  content->setSpacing(space);
  content->addStretch(1);
  content->addWidget(title);
  content->addWidget(subtitle_);
  content->addSpacing(2 * space);
  content->addLayout(columns);
  content->addStretch(2);
  content->addWidget(engine_);

  auto* centred = new QWidget;
  auto* row = new QHBoxLayout(centred);
  row->setContentsMargins({});
  row->addStretch();
  row->addWidget(inside, 1000);
  row->addStretch();
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins({});
  page->addWidget(scrolling(centred));

  engine_->setTextFormat(Qt::RichText);
  connect(engine_, &QLabel::linkActivated, this, &StartPage::settings_wanted);
  recolour();
}

QWidget* StartPage::make_beginnings() {
  auto* column = new QWidget;
  auto* cards = new QVBoxLayout(column);
  cards->setContentsMargins({});
  cards->setSpacing(spacing(*this));
  auto* convert = new Card(Card::Picture::convert, tr("New conversion"),
                           tr("Choose a checkpoint and a text; the wizard leads to a sparse model."));
  auto* run = new Card(Card::Picture::run, tr("Open a run"),
                       tr("Choose a policy for a converted model, measure it, export it."));
  auto* model = new Card(Card::Picture::model, tr("Open a model"),
                         tr("See whether a checkpoint can be converted, and what it would take."));
  convert->setObjectName(QStringLiteral("new conversion"));
  run->setObjectName(QStringLiteral("open run"));
  model->setObjectName(QStringLiteral("open model"));
  cards->addWidget(heading(tr("Begin"), font()));
  for (QWidget* card : {convert, run, model}) cards->addWidget(card);
  connect(convert, &Card::clicked, this, [this] { emit convert_wanted({}); });
  connect(run, &Card::clicked, this, [this] { emit run_wanted({}); });
  connect(model, &Card::clicked, this, &StartPage::model_wanted);
  add_demo(*cards);
  cards->addStretch();
  return column;
}

void StartPage::add_demo(QVBoxLayout& column) {
  const QString run = demo_run(), model = demo_model();
  column.addSpacing(spacing(*this));
  column.addWidget(heading(tr("New here?"), font()));
  if (!run.isEmpty()) {
    auto* card = new Card(Card::Picture::routing, tr("See a finished run"),
                          tr("A small model that tells stories, converted already. Move the slider, look at "
                             "what the router does, compare the texts."));
    card->setObjectName(QStringLiteral("demo run"));
    connect(card, &Card::clicked, this, [this, run] { emit run_wanted(run); });
    column.addWidget(card);
  }
  if (!model.isEmpty()) {
    auto* card = new Card(Card::Picture::convert, tr("Convert the demo model yourself"),
                          tr("A few minutes on a laptop, with text that the model writes itself."));
    card->setObjectName(QStringLiteral("demo model"));
    connect(card, &Card::clicked, this, [this, model] { emit convert_wanted(model); });
    column.addWidget(card);
  }
  column.addWidget(smollm2_);
  connect(smollm2_, &Smollm2Card::convert_wanted, this, &StartPage::convert_wanted);
}

QWidget* StartPage::make_recent() {
  auto* column = new QWidget;
  auto* content = new QVBoxLayout(column);
  content->setContentsMargins({});
  content->setSpacing(spacing(*this));
  content->addWidget(heading(tr("Recent"), font()));
  content->addWidget(nothing_recent_);
  recent_->setSpacing(spacing(*this) / 2);
  content->addLayout(recent_);
  content->addStretch();
  nothing_recent_->setWordWrap(true);
  return column;
}

void StartPage::refresh(const Engine& engine) {
  while (QLayoutItem* item = recent_->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  const auto add = [&](const QString& folder, const QString& what, auto&& open) {
    auto* card = new Card(Card::Picture::none, QFileInfo(folder).fileName(),
                          what.arg(QDir::toNativeSeparators(folder)));
    connect(card, &Card::clicked, this, open);
    recent_->addWidget(card);
  };
  for (const QString& run : recent(keys::recent_runs, engine.host).mid(0, shown_runs))
    add(run, tr("Run · %1"), [this, run] { emit run_wanted(run); });
  for (const QString& model : recent(keys::recent_models, engine.host).mid(0, shown_models))
    add(model, tr("Model · %1"), [this, model] { emit convert_wanted(model); });
  nothing_recent_->setVisible(recent_->count() == 0);
  smollm2_->refresh();
  const QString where =
      engine.remote() ? tr("on %1").arg(engine.host.toHtmlEscaped()) : tr("on this machine");
  engine_->setText(tr("The engine runs %1. <a href=\"settings\">Change…</a>").arg(where));
}

void StartPage::recolour() {
  QPalette faint = palette();
  faint.setColor(QPalette::WindowText, theme_of(palette()).faint);
  for (QLabel* label : {subtitle_, nothing_recent_, engine_}) label->setPalette(faint);
}

void StartPage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
