// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a source has no use for stands in its row of the registry; a page sample has no regions.
#include "engine/unused_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>


namespace damon_statfs {
namespace {

bool is_of_regions(std::string_view name) {
  return name == "regions" || name == "min_nr_regions" || name == "max_nr_regions";
}

}  // namespace

std::string unused_options_text(const OperationsSet& set, const EngineConfig& config, bool pages) {
  std::vector<std::string> named;
  for (const std::string& name : config.asked_for) {
    if (pages ? is_of_regions(name) : !set.uses_option(name)) named.push_back(name + "=");
  }
  if (named.empty()) return {};
  return fmt::format("{}: no effect with {}", fmt::join(named, ", "),
                     pages ? "estimator=pages" : "ops=" + set.name);
}

}  // namespace damon_statfs
