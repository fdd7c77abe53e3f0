// SPDX-License-Identifier: GPL-2.0-or-later
//
// The limits here are real time, as the child is a real process: a millisecond where it is to pass,
// and far more than a test may take where it is not.
#include "fs/bounded_call.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "damon_statfs/fd.h"
#include "support/catch.h"

namespace damon_statfs {
namespace {

constexpr int64_t kNeverMs = 60'000;
constexpr int64_t kAtOnceMs = 1;

int errno_of(const Result<std::string>& result) { return result.error().code.value(); }

TEST_CASE("a text comes back whatever its length", "[bounded_call]") {
  for (const size_t size : {0UL, 1UL, 3UL, 4'096UL, 1'000'000UL}) {
    const std::string text(size, 'x');
    const Result<std::string> answer =
        call_within(kNeverMs, [&]() -> Result<std::string> { return text; });
    REQUIRE(answer);
    CHECK(answer.value() == text);
  }
}

TEST_CASE("an errno comes back with its text", "[bounded_call]") {
  const Result<std::string> answer = call_within(
      kNeverMs, []() -> Result<std::string> { return failure(ENOTCONN, "no daemon is there"); });
  REQUIRE_FALSE(answer);
  CHECK(errno_of(answer) == ENOTCONN);
  CHECK(answer.error().context == "no daemon is there");
}

TEST_CASE("a call that does not return in time is a time-out", "[bounded_call]") {
  const Result<std::string> answer = call_within(kAtOnceMs, []() -> Result<std::string> {
    for (;;) pause();
  });
  REQUIRE_FALSE(answer);
  CHECK(errno_of(answer) == ETIMEDOUT);
}

TEST_CASE("a child that ends without an answer is not waited for", "[bounded_call]") {
  const Result<std::string> answer =
      call_within(kNeverMs, []() -> Result<std::string> { _exit(0); });
  REQUIRE_FALSE(answer);
  CHECK(errno_of(answer) == ETIMEDOUT);
}

TEST_CASE("no child is left behind", "[bounded_call]") {
  (void)call_within(kAtOnceMs, []() -> Result<std::string> {
    for (;;) pause();
  });
  (void)call_within(kNeverMs, []() -> Result<std::string> { return std::string(); });
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

// What waits for the end of a pipe must not wait for a child that hangs.
TEST_CASE("the child holds nothing of its parent's", "[bounded_call]") {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const Result<std::string> answer = call_within(kNeverMs, [&]() -> Result<std::string> {
    int held = 0;
    for (int fd = 0; fd < 1'024; ++fd) held += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return fmt::format("{} {}", held, fcntl(writer.get(), F_GETFD) >= 0);
  });
  REQUIRE(answer);
  CHECK(answer.value() == "1 false");
}

}  // namespace
}  // namespace damon_statfs
