// SPDX-License-Identifier: GPL-2.0-or-later
//
// Debian 12 has Catch2 2.13, Debian 13 has 3. Tests use only what both have: TEST_CASE, SECTION,
// CHECK, REQUIRE, CAPTURE and GENERATE of values.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#else
#include <catch2/catch.hpp>
#endif
