#include "ui/models/layer_load.h"

#include "policy/routing_profile.h"

namespace ladimo::ui {

LayerLoad load_of(const PolicyEditor& editor, int layer) {
  const RunData& run = editor.run();
  const auto l = static_cast<std::size_t>(layer);
  const LayerPolicy& policy = editor.policy().layers[l];
  LayerLoad load;
  if (run.tradeoff->layers[l].candidates.size() < 2) {
    load.why_none = QObject::tr("Layer %1 was not converted: it has no experts").arg(layer);
    return load;
  }
  if (policy.kind == LayerPolicy::Kind::dense) {
    load.why_none =
        (policy.cuts_inputs() ? QObject::tr("All experts of layer %1 run for every token")
                              : QObject::tr("Layer %1 is dense: all its neurons run for every token"))
            .arg(layer);
    return load;
  }
  const LayerProfile* profile = run.profile_of(layer);
  if (profile == nullptr) {
    load.why_none = QObject::tr("The run has no routing profile (profile.json)");
    return load;
  }
  if (policy.kind == LayerPolicy::Kind::top_k && policy.k == 0) {
    load.why_none = QObject::tr("No routed expert of layer %1 runs").arg(layer);
    load.experts.assign(static_cast<std::size_t>(profile->routed), 0.0);
  } else if (auto counted = load_under(*profile, policy)) {
    load.experts = std::move(counted->experts);
    load.by_file = std::move(counted->by_file);
  } else {
    load.of_policy = false;
    load.experts = profile->expert_load;
    load.by_file = profile->domain_load;
  }
  return load;
}

}  // namespace ladimo::ui
