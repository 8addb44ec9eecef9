#include "ui/mainwindow/about_dialog.h"

#include <QClipboard>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QGuiApplication>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/mainwindow/program_facts.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

void add(QFormLayout& list, const Facts& facts) {
  for (const Fact& fact : facts)
    list.addRow(new Note(Note::Kind::faint, fact.name), new Note(Note::Kind::plain, fact.value));
}

}  // namespace

AboutDialog::AboutDialog(const Engine& engine, QWidget* parent) : QDialog(parent), list_(new QFormLayout) {
  setObjectName(QStringLiteral("about"));
  setAttribute(Qt::WA_DeleteOnClose);
  setWindowTitle(tr("About LaDiMo Studio"));
  const int space = spacing(*this);
  auto* title = new QLabel(tr("LaDiMo Studio"));
  title->setFont(title_font(font()));
  auto* licence = new QLabel(tr(
      "GPL-3.0-or-later. After LaDiMo, <a href=\"https://arxiv.org/abs/2408.04278\">arXiv 2408.04278</a>."));
  licence->setOpenExternalLinks(true);
  licence->setTextInteractionFlags(Qt::TextBrowserInteraction);
  list_->setHorizontalSpacing(3 * space);
  add(*list_, versions_of_studio());
  list_->addRow(new Note(Note::Kind::faint, tr("Engine")), new Note(Note::Kind::faint, tr("loading…")));

  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  auto* copying = buttons->addButton(tr("Copy &versions"), QDialogButtonBox::ActionRole);
  connect(copying, &QPushButton::clicked, this, &AboutDialog::copy);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(3 * space, 2 * space, 3 * space, 2 * space);
  column->setSpacing(space);
  column->addWidget(title);
  column->addWidget(new QLabel(tr("Turns a dense language model into a sparse Mixture-of-Experts model.")));
  column->addLayout(list_);
  column->addWidget(licence);
  column->addSpacing(space);
  column->addWidget(buttons);
  buttons->button(QDialogButtonBox::Close)->setFocus();
  ask_engine(engine, *this, [this](const EngineAnswer& answer) { show_engine(answer); });
}

void AboutDialog::show_engine(const EngineAnswer& answer) {
  list_->removeRow(list_->rowCount() - 1);
  if (answer.facts)
    add(*list_, versions_of(*answer.facts));
  else
    add(*list_, {{tr("Engine"), answer.why_not}});
}

void AboutDialog::copy() const {
  QStringList lines;
  for (int row = 0; row < list_->rowCount(); ++row) {
    const auto text = [&](QFormLayout::ItemRole role) {
      return static_cast<QLabel*>(list_->itemAt(row, role)->widget())->text();
    };
    lines << text(QFormLayout::LabelRole) + ' ' + text(QFormLayout::FieldRole);
  }
  QGuiApplication::clipboard()->setText(lines.join('\n'));
}

}  // namespace ladimo::ui
