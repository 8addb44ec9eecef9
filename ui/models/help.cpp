#include "ui/models/help.h"

#include <iterator>

#include <QCoreApplication>

namespace ladimo::ui {
namespace {

constexpr const char* context = "ladimo::ui::Help";

struct Text {
  const char* title;
  const char* meaning;  // what is shown
  const char* formula;  // one line each; empty where nothing is computed
  const char* reading;  // how to read it, what to do; may be empty
};

// In the order of `Help`.
constexpr Text texts[] = {
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "The model"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The original model of this run. It is never changed. The run stores its own converted layers."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "perplexity = exp(mean of −ln p(next token))"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The fingerprint is a hash of the configuration and of samples of all weights. It tells "
         "whether a checkpoint is the one that the run belongs to.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "The text"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Calibration tokens train the experts. Held-out tokens are of other documents: one half "
         "fills the tables that predict, the other half checks the predictions."),
     "", QT_TRANSLATE_NOOP("ladimo::ui::Help", "Predictions hold best for text like this one.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "The experts"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Every FFN was split into slices of neurons, the experts. Shared experts run for "
                       "every token; a router chooses among the routed ones."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "FFN(x) ≈ shared(x) + Σ routed experts that run(x)"), ""},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Losses of the layers"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "How far the output y′ of each converted layer is from the original layer's y, on "
                       "validation tokens, with some of the experts on."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "loss = Σ ‖y′ − y‖² / Σ ‖y − mean of y‖², the mean over several thresholds"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "0 is exact, 1 is as bad as a constant output. The loss should fall from step to step. “Router R²” "
         "is the "
         "share of the variance of the experts’ contributions that the router predicts. A router is linear, "
         "or has a few hidden units where that costs less for what it predicts.")},

    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Layers"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "One row for each layer: its policy, what runs for a token on average, what that adds to "
         "the KL, and the time it takes. All of it is predicted."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "KL of a layer = KL(dense ‖ only this layer under its policy)\n"
                       "% of total = KL of the layer / Σ over all layers"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Select a row to see its router. The slider below the table pins the selected layer; "
                       "the large slider moves all layers that are not pinned.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Routing weights"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "How often each size of routing weight occurs on the held-out text. For experts the "
         "weight is what the router predicts of the expert’s output, in units of the layer’s mean "
         "output. For inputs and neurons it is their own size."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "expert: predicted ‖output of the expert‖ / mean ‖output of the FFN‖\n"
                       "input: |x|     neuron: |h| · ‖its row of down‖\n"
                       "it runs where the weight ≥ τ"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "What is right of the line runs. Drag the line, or use the arrow keys: further right "
         "saves more and costs accuracy. The thin curve shows the share at or above each weight.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "All layers: routing weights"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The histograms of all layers above each other, each with its threshold. What is "
                       "coloured runs under the current policy."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "it runs where the weight ≥ τ of its layer"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "Click a layer to select it.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Expert load"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "How the work of the selected layer is spread over its routed experts."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "load of e = tokens with e on / Σ over all experts"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The dashed line is an even load, 1/E. An expert far above it is almost shared, one far "
         "below it almost unused.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "How often every expert runs"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "One row for each layer, one column for each routed expert. The colour is the share of "
         "tokens for which the expert runs."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "share = tokens with the expert on / all tokens"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "Click a row to select its layer.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Which experts run together"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "For two routed experts of the layer: how often the second runs when the first does."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "share = tokens with both on / tokens with the first on"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Bright blocks are experts that belong together; even colour means independent ones.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Best accuracy at each cost"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The frontier: for every cost, the lowest KL that any policy of this run reaches. The "
                       "round dot is the current policy. Diamonds are measured."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "choose a policy for every layer with the least Σ ΔKL and Σ cost ≤ budget\n"
                       "the sum is then corrected by joint KL, measured at points of the frontier"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Down is more accurate, right is cheaper. Click, or move the slider. A dot above the "
                       "line is a policy with layers that are pinned or kept.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Best accuracy of two runs"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "For every cost, the lowest KL that any policy of each run reaches. All of it is "
                       "predicted."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "share = weights used per token / those that the original uses"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The lower curve is the better run at that cost. Runs that predict for different text "
                       "cannot be compared exactly; a note above the picture says so.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "What the policy costs"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "What the current policy does to the whole model. Normal type is predicted from the "
                       "run’s tables; Measure replaces it by a measurement, in bold."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "KL = mean of Σ p ln(p / q), with p of the dense and q of the converted model\n"
                       "perplexity = exp(mean of −ln q(next token))\n"
                       "activated = weights used per token / those that the original uses per token"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "KL in nats per token: 0 is the original model. Quantising an 8B model to 8 bits "
                       "costs about 0.001, to 4 bits about 0.03. Times are those of the named machine.")},

    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Measured against the original"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Both models read the same tokens, and their predictions of each next token are compared. "
         "Measured numbers are bold."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "KL = mean of Σ p ln(p / q), with p of the dense and q of the converted model\n"
                       "perplexity = exp(mean of −ln q(next token))\n"
                       "same top token = share s of tokens, ± √(s (1 − s) / (n − 1))"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Perplexity depends on the text, so compare only numbers from the same text. KL shows "
                       "changes that perplexity hides.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "KL per token"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The mean KL may hide a few tokens that changed a lot. The marks say how large the KL "
                       "of most tokens is."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "p % of the tokens have a KL below the p-th percentile"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "A mean far above the median comes from few tokens. With several texts there is one "
                       "column for each.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Measured and predicted"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Every measurement of this run next to the KL that the tables predict for its policy."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "error = measured KL − predicted KL"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Long lines between the marks mean predictions that do not hold, usually because the "
                       "text differs from the run’s.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Tasks"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Multiple-choice questions, answered by both models: the answer is the choice that the "
         "model finds most probable."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "difference = converted − dense, in points\n"
                       "p = chance of a difference as large between equal models (McNemar)"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "A difference counts as significant if p is below 0.05. With few questions only large "
                       "differences are.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "All measurements"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The measurements of this run, newest first, with policy and text. They are stored in the run."),
     "", QT_TRANSLATE_NOOP("ladimo::ui::Help", "Select a row to see its numbers above.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Compare output"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Both models continue the same prompt. The tint of a token says how many experts ran for "
         "it, on average over the layers."),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "temperature 0: the most probable token\notherwise: drawn from softmax(logits / temperature)"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "One early difference changes everything after it. So judge the texts by quality, and "
                       "accuracy by KL.")},

    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Formats"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Which formats support the current policy. “As is” exports the model unchanged. “With "
                       "a fit” re-solves the layers for what the format supports, which is top-k routing."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "fit: weights with the least Σ ‖y′ − y‖² under the format’s policy"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Every file is verified after writing. The native format keeps everything; llama.cpp reads GGUF.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Policies"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The current policy and the saved policies of this run. Select two or more to compare "
                       "them layer by layer."),
     "", QT_TRANSLATE_NOOP("ladimo::ui::Help", "The command line uses the run’s policy by default.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "An exported model"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "A model folder with one policy. Every command accepts it as a model; transformers "
                       "runs it with the code in the folder."),
     "",
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "Its model card has the measurements. To change the policy, open the run it came from.")},

    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Choose a model"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "A model is a folder with config.json, safetensors and a tokenizer, a GGUF file, or a "
                       "model in the cache of the Hugging Face Hub. It is never changed."),
     "",
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The list shows the checks. Next becomes available when all of them pass.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Choose a text"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Experts are trained on this text. Use text like that of your users: plain text, JSON "
                       "Lines, or conversations. Without any, the model can generate it."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "tokens needed = calibration tokens + held-out tokens"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "The right side shows the tokens of one window as the model will read them.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Choose experts"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "How finely the layers are split. The defaults suit most models. You choose later, "
                       "with the slider, how many experts run, without converting again."),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "activated = (attention + shared + routed that run + routers + compensation + head) / the "
         "same of the original"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "A run for a target format uses only what that format supports.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Partition"),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "Every cell is a neuron of the layer. Neurons of one colour form one expert."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help",
                       "shared: the neurons with the most energy\nrouted: balanced k-means of neurons that "
                       "are active together"),
     ""},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Review"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The steps of the conversion and what they take. Nothing is written before you start."),
     "", QT_TRANSLATE_NOOP("ladimo::ui::Help", "Times are estimates from the speed of this machine.")},
    {QT_TRANSLATE_NOOP("ladimo::ui::Help", "Conversion"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "The steps with their times, the loss of the current layer, and its routing weights so far."),
     QT_TRANSLATE_NOOP("ladimo::ui::Help", "loss = Σ ‖y′ − y‖² / Σ ‖y − mean of y‖², on validation tokens"),
     QT_TRANSLATE_NOOP(
         "ladimo::ui::Help",
         "You can pause or close the window. Finished layers are kept, and the run continues from there.")},
};
static_assert(std::size(texts) == help_count);

const Text& text_of(Help about) { return texts[static_cast<int>(about)]; }

QString escaped(const char* text) { return QCoreApplication::translate(context, text).toHtmlEscaped(); }

}  // namespace

QString help_title(Help about) { return QCoreApplication::translate(context, text_of(about).title); }

QString help_html(Help about) {
  const Text& text = text_of(about);
  QString html = QStringLiteral("<p>%1</p>").arg(escaped(text.meaning));
  if (*text.formula)
    html += QStringLiteral("<p style='margin-left:1em'><i>%1</i></p>")
                .arg(escaped(text.formula).replace('\n', QStringLiteral("<br>")));
  if (*text.reading) html += QStringLiteral("<p>%1</p>").arg(escaped(text.reading));
  return html;
}

}  // namespace ladimo::ui
