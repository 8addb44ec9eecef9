#include "run/conversion_result.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<ConvertedLayer> {
  static constexpr std::tuple all{
      Member{"layer", &ConvertedLayer::layer}, Member{"loss_before", &ConvertedLayer::loss_before},
      Member{"loss_after", &ConvertedLayer::loss_after}, Member{"seconds", &ConvertedLayer::seconds}};
};

template <>
struct Members<ConversionResult> {
  static constexpr std::tuple all{Member{"run", &ConversionResult::run},
                                  Member{"layers", &ConversionResult::layers},
                                  Member{"seconds", &ConversionResult::seconds},
                                  Member{"resumed_layers", &ConversionResult::resumed_layers}};
};

nlohmann::json to_json(const ConversionResult& result) { return members_to_json(result); }

ConversionResult conversion_result_from_json(const nlohmann::json& json) {
  return members_from_json<ConversionResult>(JsonFields(json, "result of the conversion"));
}

}  // namespace ladimo
