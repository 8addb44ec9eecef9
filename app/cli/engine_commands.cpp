#include "program.h"

namespace ladimo::cli {

std::vector<Offer> engine_commands() {
  std::vector<Offer> offers = {
      {"inspect", "Show what a model is and whether it can be converted", add_inspect},
      {"plan", "Check and estimate a conversion without running it", add_plan},
      {"convert", "Build experts layer by layer and measure the trade-off; resumes if interrupted",
       add_convert}};
  for (const Offer& offer : light_commands()) offers.push_back(offer);
  const Offer measuring[] = {
      {"eval", "Evaluate a run or a model on text, against the original model", add_eval},
      {"bench", "Measure the speed of decoding and prompt processing, against the original model", add_bench},
      {"compare", "Compare our method with baselines on the same calibration and held-out text", add_compare},
      {"generate", "Continue a prompt", add_generate},
      {"export", "Export a run with a policy as a model, and verify it", add_export},
      {"serve", "Load once, then answer requests from stdin with events on stdout", add_serve},
      {"about", "Versions, and what of this machine the engine uses", add_about}};
  offers.insert(offers.end(), std::begin(measuring), std::end(measuring));
  return offers;
}

}  // namespace ladimo::cli
