// SPDX-License-Identifier: GPL-2.0-or-later
//
// What turns access checks into statistics. The engine thread drives one of these; it never waits
// itself, so tests drive it through days of virtual time.
#pragma once

#include <cstdint>

#include "damon_statfs/result.h"
#include "damon_statfs/run_settings.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Sees each refresh of the values, in the estimator's thread.
class RefreshObserver {
 public:
  virtual ~RefreshObserver() = default;
  // details: those that the estimator knows; the rest is left as it was.
  virtual void refreshed(const Statistics& statistics, const MonitoringDetails& details) = 0;
};

class Estimator {
 public:
  virtual ~Estimator() = default;

  // Opens the operations set and prepares the first checks. Returns: why it cannot.
  virtual Result<void> start() = 0;

  // When step() is due, by the clock.
  virtual int64_t deadline_ns() const = 0;

  // Does what is due. Returns: why monitoring cannot go on; ECANCELED if cancelled.
  virtual Result<void> step() = 0;

  // Goes on with these settings. What it knows of memory is kept.
  virtual void change(const RunSettings& settings) = 0;

  // Closes the operations set. Precondition: start() succeeded.
  virtual void stop() = 0;

  // How much memory open() said is to be monitored.
  virtual uint64_t monitored_bytes() const = 0;
};

}  // namespace damon_statfs
