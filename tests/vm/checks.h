// SPDX-License-Identifier: GPL-2.0-or-later
//
// The four things that the checker can judge in a guest. Each switches monitoring on when it is
// off, watches for a while, prints what it saw line by line and then its verdicts.
#pragma once

#include "arguments.h"
#include "report.h"

namespace guest_test {

// Readings next to the truth, with a workload running.
void check_accuracy(const Arguments& arguments, Report& report);

// Readings while nothing touches memory: nothing may count as accessed.
void check_quiet(const Arguments& arguments, Report& report);

// Readings of a mount that monitors nothing but free pages: none may ever count as accessed.
void check_free(const Arguments& arguments, Report& report);

// CPU time of the engine thread.
void check_budget(const Arguments& arguments, Report& report);

}  // namespace guest_test
