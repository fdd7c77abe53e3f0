// SPDX-License-Identifier: GPL-2.0-or-later
//
// All functions of fmt's library, for a program that takes fmt into itself: Debian has no archive
// of it, and header-only every file would be compiled with them anew, which took as long again.
// Compiled with -fkeep-inline-functions.
#define FMT_HEADER_ONLY
#include <fmt/format.h>
