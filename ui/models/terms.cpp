#include "ui/models/terms.h"

#include <utility>

#include <QCoreApplication>

namespace ladimo::ui {
namespace {

constexpr const char* context = "ladimo::ui::Words";

/// Each entry uses only words that were explained before it.
constexpr std::pair<const char*, const char*> words[] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Original and converted"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The original model is dense: every token uses all of its weights. In the converted "
                       "model a token uses only some of them.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "FFN, neuron"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The feed-forward network of a layer holds most of its weights. It consists of "
                       "neurons that can be skipped one by one.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Expert"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "A slice of a layer's neurons. Shared experts always run; of the routed experts, only "
                       "those that a token needs.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Router, routing weight"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The router predicts for every token how much each routed expert would contribute. "
                       "This is the routing weight: 0 is nothing, 1 is as much as the whole layer.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Threshold τ"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "An expert runs if its routing weight is at least τ. A higher threshold runs fewer experts.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Policy"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "How every layer chooses its experts: dense (all, with the original weights), those "
                       "above a threshold, or the top k. One converted model serves every policy.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "KL"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "How far the next-token predictions moved from the original's, in nats per token. 0 is no change. "
         "Quantising an 8B model to 8 bits costs about 0.001, to 4 bits about 0.03, to 2 bits about 0.3.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Perplexity"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "How many equally likely next tokens the model hesitates between, on average. Lower "
                       "is better. It depends on the text, so compare only numbers from the same text.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Same top token"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words", "How often both models rank the same token first.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Activated parameters"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "Weights that a token uses, on average, including the router. So a layer with all "
                       "experts on uses slightly more than a dense one.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Frontier"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The policies with the best accuracy (lowest KL) at each cost. The slider moves along "
                       "them and sets the policy of every layer.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Pin"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "A pinned layer keeps its policy. The other layers are solved around it for the same budget.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Refit, distillation, finish"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Words",
         "Three steps that train the experts to match the original: in closed form, layer by layer, and all "
         "layers together. The loss is the squared error of a layer: 0 is exact, 1 is as bad as a constant "
         "output.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Words", "Calibration and held-out text"),
     QT_TRANSLATE_NOOP("ladimo::ui::Words",
                       "The experts are made from calibration text. Held-out text only measures: one half "
                       "makes the predictions, the other half checks them.")}};

}  // namespace

QString terms_html() {
  QString html;
  for (const auto& [word, meaning] : words)
    html += QStringLiteral("<p><b>%1</b><br>%2</p>")
                .arg(QCoreApplication::translate(context, word).toHtmlEscaped(),
                     QCoreApplication::translate(context, meaning).toHtmlEscaped());
  return html;
}

}  // namespace ladimo::ui
