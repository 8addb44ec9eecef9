#include "run/seen_shares.h"

#include <fmt/format.h>

#include "base/context.h"
#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<SeenShares> {
  static constexpr std::tuple all{Member{"seen_share", &SeenShares::seen},
                                  Member{"calibrated_share", &SeenShares::calibrated},
                                  Member{"held_out_share", &SeenShares::held_out}};
};

nlohmann::json to_json(const SeenShares& shares) { return members_to_json(shares); }

SeenShares seen_shares_from_json(const JsonFields& fields) { return members_from_json<SeenShares>(fields); }

SeenShares mean_of(const std::vector<SeenShares>& texts) {
  const auto mean = [&](std::optional<double> SeenShares::*share) {
    std::optional<double> sum = 0;
    for (const SeenShares& text : texts)
      sum = sum && text.*share ? std::optional(*sum + *(text.*share)) : std::nullopt;
    if (texts.empty()) return std::optional<double>();
    if (sum) *sum /= static_cast<double>(texts.size());
    return sum;
  };
  return {mean(&SeenShares::seen), mean(&SeenShares::calibrated), mean(&SeenShares::held_out)};
}

bool is_notable(const std::optional<double>& share) { return share && *share >= notable_share; }

std::string share_in_words(double share) {
  if (share <= 0) return "none";
  return share < 0.01 ? "less than 1 %" : fmt::format("{:.0f} %", 100 * share);
}

void warn_of_seen(const std::string& what, const SeenShares& shares, const Context& context) {
  if (!is_notable(shares.seen)) return;
  const char* const hint = "Use text that the run has not seen.";
  const std::string begin = fmt::format("{} of {} is in the text that the run was calibrated on",
                                        share_in_words(*shares.seen), what);
  if (!shares.calibrated || !shares.held_out)
    return context.warn(begin + ": results on it look too good.", hint);
  if (*shares.calibrated + *shares.held_out <= 0)
    return context.warn(begin + ", though none of it is among the tokens that the run used.", hint);
  context.warn(fmt::format("{} ({} is among its calibration tokens, {} among its held-out tokens): results "
                           "on it look too good.",
                           begin, share_in_words(*shares.calibrated), share_in_words(*shares.held_out)),
               hint);
}

}  // namespace ladimo
