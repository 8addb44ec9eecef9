#include "run/conversion_result.h"

#include "base/json_fields.h"

namespace ladimo {

nlohmann::json to_json(const ConversionResult& result) {
  auto layers = nlohmann::json::array();
  for (const ConvertedLayer& layer : result.layers)
    layers.push_back({{"layer", layer.layer},
                      {"loss_before", layer.loss_before},
                      {"loss_after", layer.loss_after},
                      {"seconds", layer.seconds}});
  return {{"run", result.run.string()},
          {"layers", std::move(layers)},
          {"seconds", result.seconds},
          {"resumed_layers", result.resumed_layers}};
}

ConversionResult conversion_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the conversion");
  ConversionResult result{fields.text("run"), {}, fields.number("seconds"), fields.small("resumed_layers")};
  for (const JsonFields& layer : fields.objects("layers"))
    result.layers.push_back({layer.small("layer"), layer.number("loss_before"), layer.number("loss_after"),
                             layer.number("seconds")});
  return result;
}

}  // namespace ladimo
