// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which signals mean something to the daemon. A signal that ends a process by default would leave a
// dead mount, so none is left to its default but those of a crash.
#pragma once

#include "damon_statfs/fd.h"

namespace damon_statfs {

// Blocks the signals that the daemon acts on, in this thread and the ones it will make, and ignores
// the others that would end it. Returns: a descriptor that the former are read from
// (signalfd_siginfo), none if there is no descriptor to be had.
UniqueFd take_signals();

}  // namespace damon_statfs
