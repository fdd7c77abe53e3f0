// SPDX-License-Identifier: GPL-2.0-or-later
//
// The operations sets by name. --probe lists them, ops= picks one, ops=auto picks the first usable.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/operations_context.h"
#include "damon_statfs/operations_set.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// A set and what its probe has said.
struct ProbedSet {
  const OperationsSet* set = nullptr;
  Result<std::string> usable;  // what it would work with
  // Why a sample of pages cannot be had, of a usable set that makes one elsewhere.
  std::optional<std::string> why_no_pages{};

  // Whether estimator=auto takes a sample of pages with it. Precondition: usable.
  bool samples_pages() const { return set->makes_pages() && !why_no_pages; }
};

// What is left of an answer with estimator=: for estimator=pages nothing of a set that cannot tell
// the states of single pages.
ProbedSet fit_estimator(ProbedSet probed, EstimatorChoice estimator);

// The set that ops= means.
struct SelectedSet {
  const OperationsSet* set = nullptr;
  std::string uses;  // what its probe has said; empty for a set asked for by name
};

// What ops=auto makes of these probes: the first automatic set that is usable, but one whose sample
// of pages cannot be had here only if there is no other, unless estimator=regions. Error: the
// reasons of all automatic ones, with EBUSY if any of them is only busy, else EACCES if any lacks
// only rights, else ENODEV. Precondition: they fit the estimator.
Result<SelectedSet> choose_automatically(std::span<const ProbedSet> probed,
                                         EstimatorChoice estimator = EstimatorChoice::kAuto);

class OperationsRegistry {
 public:
  // Returns: EEXIST if a set of that name is there.
  Result<void> add(OperationsSet set);

  // Returns: the set of that name, or nullptr.
  const OperationsSet* find(std::string_view name) const;

  // Whether ops=`name` means a mirror on this machine. Of auto's sets only mirrors are probed, as
  // long as no other one comes before them.
  bool means_mirror(std::string_view name, const OperationsContext& context,
                    EstimatorChoice estimator = EstimatorChoice::kAuto) const;

  // Runs recover() of all sets. For the time before a mount.
  void recover(const OperationsContext& context) const;

  // All sets, in the order in which ops=auto tries them.
  std::span<const OperationsSet> sets() const { return sets_; }

  // Probes all sets, in their order.
  std::vector<ProbedSet> probe(const OperationsContext& context) const;

  // The set that ops=`name` means on this machine; for auto, choose_automatically() says which.
  // ENODEV for an unknown name.
  Result<SelectedSet> select(std::string_view name, const OperationsContext& context,
                             EstimatorChoice estimator = EstimatorChoice::kAuto) const;

 private:
  std::vector<OperationsSet> sets_;
};

// The sets this program is built with.
OperationsRegistry built_in_operations();

}  // namespace damon_statfs
