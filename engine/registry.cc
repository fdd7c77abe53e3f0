// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which operations sets exist and in which order ops=auto tries them. A new set is one row here.
#include "damon_statfs/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/ops_kdamond.h"
#include "engine/ops_page_idle.h"
#include "engine/ops_sim.h"

namespace damon_statfs {

Result<void> OperationsRegistry::add(OperationsSet set) {
  if (find(set.name) != nullptr) {
    return failure(EEXIST, fmt::format("operations set {}: registered twice", set.name));
  }
  sets_.push_back(std::move(set));
  return outcome::success();
}

const OperationsSet* OperationsRegistry::find(std::string_view name) const {
  const auto found = std::find_if(sets_.begin(), sets_.end(),
                                  [&](const OperationsSet& set) { return set.name == name; });
  return found == sets_.end() ? nullptr : &*found;
}

Result<const OperationsSet*> OperationsRegistry::select(std::string_view name,
                                                        const OperationsContext& context) const {
  if (name != "auto") {
    const OperationsSet* const set = find(name);
    if (set == nullptr) return failure(ENODEV, fmt::format("no operations set {}", name));
    return set;
  }
  Error reasons{std::error_code(ENODEV, std::generic_category()), "no operations set is usable"};
  for (const OperationsSet& set : sets_) {
    if (!set.automatic) continue;
    const Result<std::string> usable = set.probe(context);
    if (usable) return &set;
    reasons.code = usable.error().code;
    reasons.context += fmt::format("; {}: {}", set.name, usable.error().context);
  }
  return outcome::failure(std::move(reasons));
}

OperationsRegistry built_in_operations() {
  OperationsRegistry registry;
  for (OperationsSet set : {kdamond_operations(), page_idle_operations(), sim_operations()}) {
    registry.add(std::move(set)).value();
  }
  return registry;
}

}  // namespace damon_statfs
