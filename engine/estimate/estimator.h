// SPDX-License-Identifier: GPL-2.0-or-later
//
// What turns the accesses that a source tells of into statistics. The engine thread drives one of
// these; it never waits itself, so tests drive it through days of virtual time.
#pragma once

#include <cstdint>

#include "damon_statfs/operations.h"
#include "damon_statfs/result.h"
#include "damon_statfs/run_settings.h"

namespace damon_statfs {

class Estimator {
 public:
  virtual ~Estimator() = default;

  // Opens the source and prepares the first checks. Returns: why it cannot; the source is closed
  // then.
  virtual Result<void> start() = 0;

  // When step() is due (Clock::now_ns()).
  virtual int64_t deadline_ns() const = 0;

  // Does what is due. Returns: why monitoring cannot go on; ECANCELED if cancelled.
  virtual Result<void> step() = 0;

  // Goes on with these settings. What it knows of memory is kept.
  virtual void change(const RunSettings& settings) = 0;

  // Closes the source. Precondition: start() succeeded.
  virtual void stop() = 0;

  // How much memory the source said is to be monitored; 0: only the source knows.
  virtual uint64_t monitored_bytes() const = 0;

  // What the source says of itself.
  virtual OperationsFacts facts() const = 0;
};

}  // namespace damon_statfs
