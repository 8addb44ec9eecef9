#include "evaluate/choice_scores.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

/// One choice of a question with its context.
struct Choice {
  std::size_t question, choice;
  ChoiceTokens text;
};

/// A token of a choice, and the row whose logits predict it.
struct Prediction {
  std::int64_t row;
  std::int32_t token;
  std::size_t question, choice;
};

/// Choices of one question as a text that branches. The last token of a choice has no row, as nothing
/// follows.
struct Tree {
  explicit Tree(const std::vector<Choice>& choices);

  BranchingText text;
  std::vector<std::int32_t> tokens;     // of every row
  std::vector<Prediction> predictions;  // rows of this tree, in rising order
};

Tree::Tree(const std::vector<Choice>& choices) {
  const auto& first = choices.front().text.tokens;
  auto stem = first.size() - 1;
  for (const Choice& choice : choices) {
    const auto& other = choice.text.tokens;
    const auto alike = std::ranges::mismatch(first, other).in1 - first.begin();
    stem = std::min({stem, static_cast<std::size_t>(alike), other.size() - 1});
    text.length = std::max(text.length, std::ssize(other));
  }
  text.stem = static_cast<std::int64_t>(stem);
  const auto after_stem = first.begin() + text.stem;
  tokens.assign(first.begin(), after_stem);
  for (const auto& [question, choice, own] : choices) {
    const auto branch = tokens.size();
    tokens.insert(tokens.end(), own.tokens.begin() + text.stem, own.tokens.end() - 1);
    text.branches.push_back(std::ssize(tokens) - static_cast<std::int64_t>(branch));
    for (auto at = own.tokens.size() - own.scored; at < own.tokens.size(); ++at) {
      const auto row = at <= stem ? at - 1 : branch + at - 1 - stem;
      predictions.push_back({static_cast<std::int64_t>(row), own.tokens[at], question, choice});
    }
  }
  std::ranges::stable_sort(predictions, {}, &Prediction::row);
}

/// All choices of a task. Neighbours have the same rotary frequencies as far as possible, and about as many
/// rows, so that they lie side by side without gaps.
std::vector<Tree> trees_of(const Task& task, const Tokenizer& tokenizer, const ModelConfig& config) {
  std::vector<Tree> trees;
  for (std::size_t q = 0; q < task.questions.size(); ++q) {
    const Question& question = task.questions[q];
    std::map<std::int64_t, std::vector<Choice>> alike;  // choices with the same rotary frequencies
    for (std::size_t c = 0; c < question.choices.size(); ++c) {
      auto text = choice_tokens(tokenizer, question.context, question.choices[c], config.max_positions);
      alike[config.longest_alike(std::ssize(text.tokens))].push_back({q, c, std::move(text)});
    }
    for (const auto& entry : alike) trees.emplace_back(entry.second);
  }
  std::ranges::stable_sort(trees, {}, [&](const Tree& tree) {
    return std::pair(config.longest_alike(tree.text.length), tree.text.rows());
  });
  return trees;
}

/// The trees one after another, as the walk takes them.
struct Forest {
  explicit Forest(const std::vector<Tree>& trees);

  std::vector<BranchingText> texts;
  Windows rows;  // windows of one token
  std::vector<Prediction> predictions;
};

Forest::Forest(const std::vector<Tree>& trees) {
  rows.window = 1;
  for (const Tree& tree : trees) {
    for (Prediction prediction : tree.predictions) {
      prediction.row += rows.count();
      predictions.push_back(prediction);
    }
    texts.push_back(tree.text);
    rows.tokens.insert(rows.tokens.end(), tree.tokens.begin(), tree.tokens.end());
    rows.source.resize(rows.tokens.size(), 0);
  }
}

/// Adds the log-probabilities of the predicted tokens.
void add_predictions(const Head& head, std::int64_t vocab, const ResidualStream& stream,
                     const std::vector<Prediction>& predictions, const Context& context,
                     LogProbabilities& sums) {
  const auto most_rows = chunk_logit_rows(vocab);
  for (std::size_t begin = 0, end = 0; begin < predictions.size(); begin = end) {
    context.check();
    std::vector<std::int64_t> rows, row_of, logit_of;
    for (; end < predictions.size(); ++end) {
      const Prediction& predicted = predictions[end];
      if (rows.empty() || rows.back() != predicted.row) {
        if (std::ssize(rows) == most_rows) break;
        rows.push_back(predicted.row);
      }
      row_of.push_back(std::ssize(rows) - 1);
      logit_of.push_back(row_of.back() * vocab + predicted.token);
    }
    const auto logits = head.logits(stream.read(at::tensor(rows)).flatten(0, 1)).to(at::kFloat);
    const auto on_device = [&](const std::vector<std::int64_t>& index) {
      return at::tensor(index).to(logits.device());
    };
    const auto found =
        (logits.take(on_device(logit_of)) - logits.logsumexp(1).index_select(0, on_device(row_of)))
            .to(at::kCPU)
            .contiguous();
    for (std::size_t i = begin; i < end; ++i)
      sums[predictions[i].question][predictions[i].choice] +=
          static_cast<double>(found.data_ptr<float>()[i - begin]);
  }
}

}  // namespace

ChoiceScores score_choices(const WeightSource& source, const Branches& branches, const Tokenizer& tokenizer,
                           const Task& task, const Context& context) {
  const auto& config = source.config();
  const Forest forest(trees_of(task, tokenizer, config));
  ChoiceScores result;
  for (const Question& question : task.questions) result.dense.emplace_back(question.choices.size(), 0.0);
  result.converted = result.dense;

  const auto passes = 2 * config.layers - branches.first_layer.front();
  Progress progress(context, passes * forest.rows.count());
  auto dense = ResidualStream::embedded(source, forest.rows, context);
  Walk how;
  how.layers = config.layers;
  how.texts = &forest.texts;
  how.branches = &branches;
  how.passed = [&](std::int64_t passed) { progress.advance(passed); };
  const auto own = walk(source, dense, how, context);

  const auto head = source.head();
  add_predictions(head, config.vocab_size, dense, forest.predictions, context, result.dense);
  if (own.front().defined())
    add_predictions(head, config.vocab_size, own.front(), forest.predictions, context, result.converted);
  else
    result.converted = result.dense;
  return result;
}

TaskResult answer(const WeightSource& source, const Branches& branches, const Tokenizer& tokenizer,
                  const Task& task, const Context& context) {
  const auto scores = score_choices(source, branches, tokenizer, task, context);
  const auto paired = [&](bool over_length) {
    const auto before = right_answers(task.questions, scores.dense, over_length);
    const auto after = right_answers(task.questions, scores.converted, over_length);
    PairedAnswers answers;
    for (std::size_t q = 0; q < before.size(); ++q) {
      answers.lost += before[q] && !after[q] ? 1 : 0;
      answers.gained += !before[q] && after[q] ? 1 : 0;
    }
    return answers;
  };
  return {task.name,
          static_cast<std::int64_t>(task.questions.size()),
          accuracy(task.questions, scores.converted),
          accuracy(task.questions, scores.dense),
          {},
          paired(false),
          paired(true)};
}

}  // namespace ladimo
