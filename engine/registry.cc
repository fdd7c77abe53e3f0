// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which operations sets exist and in which order ops=auto tries them. A new set is one row here.
#include "damon_statfs/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/damon/ops_damon_stat.h"
#include "engine/damon/ops_kdamond.h"
#include "engine/damon/ops_observe.h"
#include "engine/damon/yielded_damon_stat.h"
#include "engine/ops_sim.h"
#include "engine/page_idle/ops_page_idle.h"

namespace damon_statfs {
namespace {

// Of the reasons why nothing is usable, the one that is nearest to working is worth the errno: what
// is busy may be free later, and rights can be given.
int worth(int errno_value) { return errno_value == EBUSY ? 2 : errno_value == EACCES ? 1 : 0; }

// The errno of a set as auto counts it. EROFS, as of a /sys that is read-only in a container, would
// be taken for the mount's own.
int counted_errno(const Error& error) {
  const int errno_value = error.code.value();
  return errno_value == EPERM || errno_value == EROFS ? EACCES : errno_value;
}

// With damon_stat=yield DAMON_STAT itself is none of the sources to choose from.
Result<std::string> probe_set(const OperationsSet& set, const OperationsContext& context) {
  if (!context.yield_damon_stat || set.yields_damon_stat) return set.probe(context);
  return failure(EINVAL, fmt::format("damon_stat=yield: not with ops={}", set.name));
}

// Regions are less accurate than a sample of pages: another set may have one.
bool is_preferred(const ProbedSet& probed, EstimatorChoice estimator) {
  return estimator == EstimatorChoice::kRegions || !probed.why_no_pages;
}

ProbedSet probe_one(const OperationsSet& set, const OperationsContext& context) {
  ProbedSet probed{&set, probe_set(set, context)};
  if (!probed.usable || set.probe_pages == nullptr) return probed;
  const Result<void> pages = set.probe_pages(context);
  if (!pages) probed.why_no_pages = pages.error().context;
  return probed;
}

}  // namespace

ProbedSet fit_estimator(ProbedSet probed, EstimatorChoice estimator) {
  if (estimator != EstimatorChoice::kPages) return probed;
  if (!probed.set->makes_pages()) {
    probed.usable =
        failure(EINVAL, fmt::format("estimator=pages: {} delivers regions", probed.set->name));
  } else if (probed.usable && probed.why_no_pages) {
    probed.usable = failure(ENODEV, fmt::format("estimator=pages: {}", *probed.why_no_pages));
  }
  return probed;
}

Result<SelectedSet> choose_automatically(std::span<const ProbedSet> probed,
                                         EstimatorChoice estimator) {
  int errno_value = ENODEV;
  std::string reasons = "ops=auto: no operations set is usable";
  const ProbedSet* chosen = nullptr;
  for (const ProbedSet& row : probed) {
    if (!row.set->automatic) continue;
    if (row.usable) {
      if (chosen == nullptr || (!is_preferred(*chosen, estimator) && is_preferred(row, estimator)))
        chosen = &row;
      continue;
    }
    const int error = counted_errno(row.usable.error());
    if (worth(error) > worth(errno_value)) errno_value = error;
    reasons += fmt::format("; {}: {}", row.set->name, row.usable.error().context);
  }
  if (chosen != nullptr) return SelectedSet{chosen->set, chosen->usable.value()};
  return failure(errno_value, std::move(reasons));
}

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

void OperationsRegistry::recover(const OperationsContext& context) const {
  for (const OperationsSet& set : sets_) {
    if (set.recover != nullptr) set.recover(context);
  }
  restore_damon_stat(context, RootedKernelFiles(context.rootfs));
}

bool OperationsRegistry::means_mirror(std::string_view name, const OperationsContext& context,
                                      EstimatorChoice estimator) const {
  if (name != "auto") {
    const OperationsSet* const set = find(name);
    return set != nullptr && set->makes<Mirror>();
  }
  if (estimator == EstimatorChoice::kPages) return false;
  for (const OperationsSet& set : sets_) {
    if (!set.automatic) continue;
    if (!set.makes<Mirror>()) return false;
    if (probe_set(set, context)) return true;
  }
  return false;
}

std::vector<ProbedSet> OperationsRegistry::probe(const OperationsContext& context) const {
  std::vector<ProbedSet> probed;
  for (const OperationsSet& set : sets_) probed.push_back(probe_one(set, context));
  return probed;
}

Result<SelectedSet> OperationsRegistry::select(std::string_view name,
                                               const OperationsContext& context,
                                               EstimatorChoice estimator) const {
  if (name != "auto") {
    const OperationsSet* const set = find(name);
    if (set == nullptr) return failure(ENODEV, fmt::format("no operations set {}", name));
    return SelectedSet{set, ""};
  }
  std::vector<ProbedSet> probed;  // those behind the first one that is taken are not asked
  for (const OperationsSet& set : sets_) {
    if (!set.automatic) continue;
    probed.push_back(fit_estimator(probe_one(set, context), estimator));
    if (probed.back().usable && is_preferred(probed.back(), estimator)) break;
  }
  return choose_automatically(probed, estimator);
}

OperationsRegistry built_in_operations() {
  OperationsRegistry registry;
  for (OperationsSet set : {damon_stat_operations(), page_idle_operations(), kdamond_operations(),
                            observe_operations(), sim_operations()}) {
    registry.add(std::move(set)).value();
  }
  return registry;
}

}  // namespace damon_statfs
