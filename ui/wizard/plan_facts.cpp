#include "ui/wizard/plan_facts.h"

#include "base/json_fields.h"

namespace ladimo::ui {

PlanFacts read_plan(const QByteArray& output) {
  const auto json = nlohmann::json::parse(output.begin(), output.end(), nullptr, false);
  if (json.is_discarded())
    throw Refusal("The engine's plan cannot be understood.",
                  "The engine and the studio may be of different versions. Install them together.");
  const Plan plan = plan_from_json(json);
  return {plan.resumes, plan.steps,     plan.recipe,     plan.tokens,  plan.windows,
          plan.ram_bytes, plan.disk_bytes, plan.seconds, plan.problems};
}

}  // namespace ladimo::ui
