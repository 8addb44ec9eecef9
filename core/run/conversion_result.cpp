#include "run/conversion_result.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<LayerResult> {
  static constexpr std::tuple all{
      Member{"layer", &LayerResult::layer}, Member{"loss_before", &LayerResult::loss_before},
      Member{"loss_after", &LayerResult::loss_after}, Member{"seconds", &LayerResult::seconds}};
};

template <>
struct Members<NamedWork> {
  static constexpr std::tuple all{Member{"name", &NamedWork::name}, Member{"seconds", &NamedWork::seconds},
                                  Member{"flops", &NamedWork::flops},
                                  Member{"flops_per_s", &NamedWork::flops_per_s}};
};

template <>
struct Members<ConversionResult> {
  static constexpr std::tuple all{Member{"run", &ConversionResult::run},
                                  Member{"layers", &ConversionResult::layers},
                                  Member{"seconds", &ConversionResult::seconds},
                                  Member{"resumed_layers", &ConversionResult::resumed_layers},
                                  Member{"steps", &ConversionResult::steps},
                                  Member{"parts", &ConversionResult::parts}};
};

nlohmann::json to_json(const ConversionResult& result) { return members_to_json(result); }

ConversionResult conversion_result_from_json(const nlohmann::json& json) {
  return members_from_json<ConversionResult>(JsonFields(json, "result of the conversion"));
}

}  // namespace ladimo
