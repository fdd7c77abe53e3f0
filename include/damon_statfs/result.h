// SPDX-License-Identifier: GPL-2.0-or-later
//
// Result<T>: a value, or an Error that says which errno a caller of ours should see and one
// sentence why. It is Boost.Outcome's result with that error type; exceptions are left for bugs and
// bad_alloc.
#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/try.hpp>
#include <boost/version.hpp>
#include <string>
#include <system_error>
#include <utility>

// DAMON_STATFS_TRY(name, expression): declares `name` as the value of a Result, or returns its
// Error from the function. Boost 1.76 changed what its own macro takes as a name.
#if BOOST_VERSION < 107600
#define DAMON_STATFS_TRY(name, ...) BOOST_OUTCOME_TRY(name, __VA_ARGS__)
#else
#define DAMON_STATFS_TRY(name, ...) BOOST_OUTCOME_TRY(auto&& name, __VA_ARGS__)
#endif

namespace damon_statfs {

namespace outcome = BOOST_OUTCOME_V2_NAMESPACE;

// What went wrong: an errno in the generic category and a sentence for people.
struct Error {
  std::error_code code;
  std::string context;
};

// A T, or an Error. Reading the wrong one of the two is a bug and ends the program.
template <class T>
using Result = outcome::basic_result<T, Error, outcome::policy::terminate>;

// Makes the failure side of a Result. errno_value: a positive errno.
inline auto failure(int errno_value, std::string context) {
  return outcome::failure(
      Error{std::error_code(errno_value, std::generic_category()), std::move(context)});
}

}  // namespace damon_statfs
