// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which estimator goes with an operations set, made ready to be started.
#pragma once

#include <functional>
#include <memory>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/observer.h"
#include "damon_statfs/operations_set.h"
#include "engine/estimate/estimator.h"

namespace damon_statfs {

// Whether `choice` means a sample of pages for the set on this machine. Returns: why it does not.
// Precondition: the set makes no mirror.
Result<void> choose_pages(const OperationsSet& set, EstimatorChoice choice,
                          const OperationsContext& context);

// Makes the set's source and an estimator that owns it. pages: of a sample of pages, else of
// regions. The context and the observer outlive the estimator. cancelled: asked within long steps.
// Precondition: the set makes_pages(), or makes_regions().
std::unique_ptr<Estimator> make_estimator(const OperationsSet& set, bool pages,
                                          const EngineConfig& config,
                                          const OperationsContext& context,
                                          std::function<bool()> cancelled,
                                          MonitoringObserver& observer);

}  // namespace damon_statfs
