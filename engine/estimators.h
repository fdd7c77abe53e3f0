// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which estimator goes with an operations set, made ready to be started.
#pragma once

#include <functional>
#include <memory>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/operations_set.h"
#include "engine/estimate/estimator.h"

namespace damon_statfs {

// Whether it is estimator=pages.
bool uses_pages(const OperationsSet& set, const EngineConfig& config);

// Everything given outlives the estimator. cancelled: asked within long steps.
std::unique_ptr<Estimator> make_estimator(const OperationsSet& set, const EngineConfig& config,
                                          const OperationsContext& context, Operations& operations,
                                          std::function<bool()> cancelled,
                                          RefreshObserver& observer);

}  // namespace damon_statfs
