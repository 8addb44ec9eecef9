// How much of a text a run has seen, as results of commands say it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

class Context;
class JsonFields;

/// Shares of a text that a run has seen, 0 to 1. Absent where it is not known.
struct SeenShares {
  std::optional<double> seen;        // in the text files that the run took its tokens from
  std::optional<double> calibrated;  // among its calibration tokens themselves
  std::optional<double> held_out;    // among its held-out tokens, which made and checked its tables
};

/// Returns {seen_share, calibrated_share, held_out_share}; null where it is not known.
nlohmann::json to_json(const SeenShares& shares);
/// Reads what to_json() writes. Keys may be missing, because older versions did not write them.
SeenShares seen_shares_from_json(const JsonFields& fields);

/// The mean over texts of equal length. A share is absent where that of a text is.
SeenShares mean_of(const std::vector<SeenShares>& texts);

/// From this share on, a text counts as one that the run was calibrated on.
inline constexpr double notable_share = 0.01;
bool is_notable(const std::optional<double>& share);

/// "37 %", "less than 1 %" or "none".
std::string share_in_words(double share);
/// Warns when a notable share of what is measured was seen. `what` names it, such as "dev.txt".
void warn_of_seen(const std::string& what, const SeenShares& shares, const Context& context);

}  // namespace ladimo
