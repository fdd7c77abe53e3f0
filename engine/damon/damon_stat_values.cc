// SPDX-License-Identifier: GPL-2.0-or-later
//
// The counterparts of the kernel's param_get_bool() and of the param_get functions in
// mm/damon/stat.c.
#include "engine/damon/damon_stat_values.h"

#include "engine/base/text.h"

namespace damon_statfs {

std::optional<bool> parse_enabled(std::string_view text) {
  if (text != "Y" && text != "N") return std::nullopt;
  return text == "Y";
}

std::optional<IdlePercentiles> parse_percentiles(std::string_view text) {
  IdlePercentiles percentiles{};
  for (size_t i = 0; i < percentiles.size(); ++i) {
    const size_t comma = text.find(',');
    const bool is_last = i + 1 == percentiles.size();
    if (is_last != (comma == std::string_view::npos)) return std::nullopt;
    const auto value = parse_number<int64_t>(text.substr(0, comma));
    if (!value) return std::nullopt;
    percentiles[i] = *value;
    if (!is_last) text.remove_prefix(comma + 1);
  }
  return percentiles;
}

}  // namespace damon_statfs
