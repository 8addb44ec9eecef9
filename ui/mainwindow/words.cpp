#include "ui/mainwindow/words.h"

#include <utility>

#include <QCoreApplication>
#include <QDialog>
#include <QDialogButtonBox>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "ui/mainwindow/window_place.h"

namespace ladimo::ui {
namespace {

constexpr const char* context = "ladimo::ui::Words";

/// Each entry uses only words that were explained before it.
const std::pair<const char*, const char*> words[] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Dense and converted"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The dense model is the original: every token goes through all of its weights. In the "
                       "converted model a token uses only a part of them.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "FFN, neuron"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The feed-forward network of a layer, where most of the weights are; it is made of "
                       "neurons that can be left out one by one.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Expert"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "A slice of a layer's neurons. Shared experts always run; of the routed ones only those "
         "that a token needs.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Router, routing weight"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "The router predicts for every token how much each routed expert would contribute. That "
         "prediction is the routing weight: 0 is nothing, 1 as much as the whole layer.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Threshold τ"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "An expert runs where its routing weight is at least τ. A higher threshold runs fewer "
                       "experts.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Policy"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "How every layer chooses its experts: dense (all, with the original weights), those "
                       "above a threshold, or the top k. One converted model serves every policy.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "KL"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "How far the predictions of the next token moved from the dense model's, in nats per "
         "token. 0 is no change; rounding an 8B model to 8 bits costs about 0.001, to 4 bits about "
         "0.03, to 2 bits about 0.3.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Perplexity"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "Among how many equally likely tokens the model hesitates, on average: lower is better. It "
         "depends on the text, so compare only numbers of the same text.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Same top token"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words", "How often both models hold the same token for the likeliest.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Activated parameters"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "Weights that a token uses, on average, router included. That is why a layer with all "
                       "experts on uses a little more than the dense one.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Frontier"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The policies with the best accuracy (lowest KL) at each cost. The slider moves along "
                       "them and sets the policy of every layer.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Pin"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "A pinned layer keeps its policy; the others are chosen around it for the same budget.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Refit, distillation, finish"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "Three steps that teach the experts to answer as the dense model does: in closed form, "
         "layer by layer, and all layers together. The loss is the squared error of a layer: 0 is "
         "exact, 1 is as bad as no FFN at all.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Calibration and held-out text"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "What the experts are made from, and other text that only judges: one half predicts, the "
         "other checks the predictions.")}};

}  // namespace

QDialog* make_words_dialog(QWidget* parent) {
  auto* dialog = new QDialog(parent);
  dialog->setObjectName(QStringLiteral("words"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(
      QCoreApplication::translate(context, QT_TRANSLATE_NOOP("ladimo::ui::Words", "What the words mean")));
  QString html;
  for (const auto& [word, meaning] : words)
    html += QStringLiteral("<p><b>%1</b><br>%2</p>")
                .arg(QCoreApplication::translate(context, word).toHtmlEscaped(),
                     QCoreApplication::translate(context, meaning).toHtmlEscaped());
  auto* text = new QTextBrowser;
  text->setAccessibleName(dialog->windowTitle());
  text->setHtml(html);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::reject);
  auto* column = new QVBoxLayout(dialog);
  column->addWidget(text);
  column->addWidget(buttons);
  const int line = dialog->fontMetrics().height();
  new WindowPlace(*dialog, QSize(36 * line, 40 * line));
  return dialog;
}

}  // namespace ladimo::ui
