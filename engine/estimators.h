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

// Whether the values come from a sample of pages: estimator=pages.
bool uses_pages(const OperationsSet& set, const EngineConfig& config);

// Makes the set's source and an estimator that owns it. The context and the observer outlive the
// estimator. cancelled: asked within long steps. Precondition: the set makes no mirror.
std::unique_ptr<Estimator> make_estimator(const OperationsSet& set, const EngineConfig& config,
                                          const OperationsContext& context,
                                          std::function<bool()> cancelled,
                                          MonitoringObserver& observer);

}  // namespace damon_statfs
