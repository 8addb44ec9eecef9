#include "program.h"

namespace ladimo::cli {

std::vector<Offer> engine_commands() {
  std::vector<Offer> offers = {
      {"inspect", "What a checkpoint is, and whether it can be converted", add_inspect},
      {"plan", "All of convert's refusals and estimates, nothing else", add_plan},
      {"convert", "Build experts layer by layer and measure the tables of the trade-off; resumes",
       add_convert}};
  for (const Offer& offer : light_commands()) offers.push_back(offer);
  const Offer measuring[] = {
      {"eval", "Measure a run or a model on text, against the dense original", add_eval},
      {"bench", "How fast a run decodes and reads prompts, beside the dense original", add_bench},
      {"compare", "Our method beside its opponents, on the same tokens and held-out text", add_compare},
      {"generate", "Continue a prompt", add_generate},
      {"export", "Write a run under a policy as a model folder of its own, and prove it", add_export},
      {"serve", "Load once, then answer requests on stdin with events on stdout", add_serve},
      {"about", "Versions, and what of this machine the engine uses", add_about}};
  offers.insert(offers.end(), std::begin(measuring), std::end(measuring));
  return offers;
}

}  // namespace ladimo::cli
