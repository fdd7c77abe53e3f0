// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks of single pages where the kernel's files give no answer, garbage, or an error.
#include <string_view>

#include "engine/base/kernel_files.h"
#include "engine/page_idle/page_idle_checks.h"
#include "support/fail_limits.h"
#include "support/word_array.h"
#include "unit/engine/page_idle/checked_machine.h"

namespace damon_statfs::test {
namespace {

using enum PageAccess;

TEST_CASE("no answer from the bitmap is no access, and said once", "[page_idle_checks]") {
  const uint64_t bytes = GENERATE(uint64_t{0}, uint64_t{15 * 8 + 3});
  CheckedMachine machine{1000, 1010};
  machine.check_and_mark();
  machine.tree.resize(kBitmapPath, bytes);
  CHECK(machine.check_and_mark() == Found(2, kIdle));
  CHECK(machine.check_and_mark() == Found(2, kIdle));
  machine.set_flags(1010, kPageNoPage);
  CHECK(machine.check_and_mark() == Found{kIdle, kUntracked});
  CHECK(machine.operations->facts().nr_dropped == 6);  // two pages, three checks
  CHECK(machine.log.count(LogLevel::kWarning) == 1);
  CHECK(machine.log.count(LogLevel::kWarning, kBitmapPath) == 1);
}

TEST_CASE("no answer from the page flags: untracked", "[page_idle_checks]") {
  CheckedMachine machine{5, 1000, 5'000'000};  // the last one is beyond the end
  machine.tree.resize(kFlagsPath, 1000 * 8 + 7);
  CHECK(machine.check_and_mark() == Found{kNew, kUntracked, kUntracked});
  machine.touch(5);
  CHECK(machine.check_and_mark() == Found{kAccessed, kUntracked, kUntracked});
  CHECK(machine.operations->facts().nr_dropped == 4);
  CHECK(machine.log.count(LogLevel::kWarning, kFlagsPath) == 1);
}

TEST_CASE("garbage in the page flags is no access", "[page_idle_checks]") {
  const uint64_t garbage =
      GENERATE(~uint64_t{0}, uint64_t{0x5555555555555555}, kPageCompoundTail | kPageLru);
  CheckedMachine machine{0, 1, 63, 511, 1023};
  machine.check_and_mark();
  machine.tree.write_words(kFlagsPath, std::vector<uint64_t>(1024, garbage));
  machine.tree.write_words(kBitmapPath, std::vector<uint64_t>(16, 0));
  for (const PageAccess found : machine.check_and_mark()) CHECK(found == kUntracked);
}

TEST_CASE("an I/O error is passed on", "[page_idle_checks]") {
  PageIdleMachine machine;
  machine.tree.remove(kBitmapPath);
  machine.tree.link(kBitmapPath, "/proc/self/mem");
  REQUIRE(machine.operations->open());
  CheckedPage page;
  page.head_pfn = 5;
  page.addr = 5 * kPageBytes;
  CheckedPage* const pages[] = {&page};
  REQUIRE(machine.operations->check_pages(pages));  // its flags only
  for (const auto& done :
       {machine.operations->mark_pages(pages), machine.operations->check_pages(pages)}) {
    REQUIRE_FALSE(done);
    CHECK(done.error().code.value() == EIO);
    CHECK(std::string_view(done.error().context).find(kBitmapPath) != std::string::npos);
  }
}

TEST_CASE("the rules on words in memory", "[page_idle_checks]") {
  const WordArray bitmap({0}, "bitmap");
  WordArray kpageflags({kMarkable, kMarkable}, "flags");
  const FakeClock clock;
  std::vector<std::string> dropped;
  PageIdleChecks checks(bitmap, kpageflags, clock, [&](const WordFile& file, uint64_t pfn) {
    dropped.push_back(file.path() + " " + std::to_string(pfn));
  });
  CheckedPage page;
  page.addr = kPageBytes;
  page.head_pfn = 1;
  CheckedPage* const pages[] = {&page};
  REQUIRE(checks.check(pages));
  REQUIRE(checks.mark(pages));
  CHECK(bitmap.words == std::vector<uint64_t>{2});
  REQUIRE(checks.check(pages));
  CHECK(page.access == kIdle);
  bitmap.words[0] = 0;
  REQUIRE(checks.check(pages));
  CHECK(page.access == kAccessed);
  CHECK(dropped.empty());
  kpageflags.errno_value = EIO;
  CHECK(failed_with(checks.check(pages), EIO));
}

}  // namespace
}  // namespace damon_statfs::test
