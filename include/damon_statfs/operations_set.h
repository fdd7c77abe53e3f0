// SPDX-License-Identifier: GPL-2.0-or-later
//
// One operations set: its name, what it needs, and what makes it. The registry has one for each.
#pragma once

#include <algorithm>
#include <cassert>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "damon_statfs/delivered_regions.h"
#include "damon_statfs/mirror.h"
#include "damon_statfs/observed_pages.h"
#include "damon_statfs/operations_context.h"
#include "damon_statfs/page_checks.h"
#include "damon_statfs/region_checks.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// Makes a source of one kind. The context outlives it.
template <class Kind>
using Factory = std::unique_ptr<Kind> (*)(const OperationsContext& context);

// What a set is able to tell: one factory for each kind of source that it makes, else nullptr.
using Factories = std::tuple<Factory<PageChecks>, Factory<ObservedPages>, Factory<RegionChecks>,
                             Factory<DeliveredRegions>, Factory<Mirror>>;

struct OperationsSet {
  std::string name;
  bool automatic = true;  // whether ops=auto may pick it

  // Returns: what the set would work with, or the one reason why it cannot. Changes nothing.
  Result<std::string> (*probe)(const OperationsContext& context) = nullptr;

  Factories factories{};

  // Returns: why a sample of pages cannot be had from this machine's kernel, though the set is
  // usable. Changes nothing. nullptr: whenever it is usable.
  Result<void> (*probe_pages)(const OperationsContext& context) = nullptr;

  // Puts right what a daemon that was killed has left behind in the kernel, if the set can leave
  // anything. What is logged says so.
  void (*recover)(const OperationsContext& context) = nullptr;

  // How long one call into the set may take without hanging. A stop takes no longer, and whatever
  // waits for one waits at least as long.
  uint64_t max_call_ms = 1'500;

  // Names of the mount options that the set has no use for.
  std::vector<std::string_view> unused_options{};

  template <class Kind>
  void add_factory(Factory<Kind> factory) {
    std::get<Factory<Kind>>(factories) = factory;
  }

  template <class Kind>
  bool makes() const {
    return std::get<Factory<Kind>>(factories) != nullptr;
  }

  // Makes the source. Precondition: makes<Kind>().
  template <class Kind>
  std::unique_ptr<Kind> make(const OperationsContext& context) const {
    assert(makes<Kind>());
    return std::get<Factory<Kind>>(factories)(context);
  }

  // Whether it can tell the states of single pages: estimator=pages.
  bool makes_pages() const { return makes<PageChecks>() || makes<ObservedPages>(); }

  // Whether it can check or deliver regions: estimator=regions.
  bool makes_regions() const {
    return makes<PageChecks>() || makes<RegionChecks>() || makes<DeliveredRegions>();
  }

  bool uses_option(std::string_view option) const {
    return std::find(unused_options.begin(), unused_options.end(), option) == unused_options.end();
  }
};

// Which estimator the values come from when none is asked for: "pages" where the set can tell the
// states of single pages, "regions" where it checks or delivers regions only, "kernel" for a
// mirror.
inline std::string_view default_estimator(const OperationsSet& set) {
  if (set.makes<Mirror>()) return "kernel";
  return set.makes_pages() ? "pages" : "regions";
}

}  // namespace damon_statfs
