// SPDX-License-Identifier: GPL-2.0-or-later
//
// main() for Catch2 2. Version 3 brings its own.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
