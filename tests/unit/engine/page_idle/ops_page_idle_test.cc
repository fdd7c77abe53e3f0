// SPDX-License-Identifier: GPL-2.0-or-later
//
// page_idle as a whole: what it needs, beside which programs it refuses to run, and what it does
// with answers that cannot be right.
#include "unit/engine/page_idle/page_idle_machine.h"

namespace damon_statfs::test {
namespace {

Result<std::string> probe(const PageIdleMachine& machine) {
  return page_idle_operations().probe(machine.context);
}

bool mentions(const Error& error, const std::string& part) {
  return error.context.find(part) != std::string::npos;
}

TEST_CASE("a usable machine", "[page_idle]") {
  PageIdleMachine machine;
  const OperationsSet set = page_idle_operations();
  CHECK(set.name == "page_idle");
  CHECK(set.automatic);
  REQUIRE(probe(machine));
  CHECK(probe(machine).value().find("4 MiB") != std::string::npos);
  CHECK(machine.operations->open().value() == Ranges{{0, 0x400000}});
}

TEST_CASE("ram= applies to it", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/iomem",
                     "00000000-000fffff : System RAM\n00200000-003fffff : System RAM\n");
  machine.context.ram.kind = RamSelection::Kind::kBiggest;
  CHECK(machine.operations->open().value() == Ranges{{0x200000, 0x400000}});
}

TEST_CASE("what is missing is named, by probe and by open", "[page_idle]") {
  struct Row {
    const char* path;
    const char* needed;
  };
  const Row rows[] = {{kBitmapPath, "CONFIG_IDLE_PAGE_TRACKING"},
                      {kFlagsPath, "CONFIG_PROC_PAGE_MONITOR"},
                      {"/proc/iomem", "/proc/iomem"}};
  for (const Row& row : rows) {
    CAPTURE(row.path);
    PageIdleMachine machine;
    machine.tree.remove(row.path);
    const auto probed = probe(machine);
    REQUIRE_FALSE(probed);
    CHECK(probed.error().code.value() == ENODEV);
    CHECK(mentions(probed.error(), row.path));
    CHECK(mentions(probed.error(), row.needed));
    const auto opened = machine.operations->open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().context == probed.error().context);
  }
}

TEST_CASE("hidden addresses", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/iomem", "00000000-00000000 : System RAM\n");
  CHECK(probe(machine).error().code.value() == EACCES);
  CHECK(machine.operations->open().error().code.value() == EACCES);
}

TEST_CASE("it refuses to run beside the kernel's DAMON", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/57/stat", "57 (kdamond.0) S 2 0 0 0 -1 2129984 0 0\n");
  CHECK(probe(machine).error().code.value() == EBUSY);
  const auto opened = machine.operations->open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code.value() == EBUSY);
  CHECK(mentions(opened.error(), "kdamond.0"));
  CHECK(mentions(opened.error(), "57"));
}

TEST_CASE("it does not mind a program of that name", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/57/stat", "57 (kdamond.0) S 1 57 57 0 -1 4194304 0 0\n");
  CHECK(probe(machine));
  CHECK(machine.operations->open());
}

TEST_CASE("two engines on one machine", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  const std::unique_ptr<PageChecks> second =
      page_idle_operations().make<PageChecks>(machine.context);
  CHECK(second->open().error().code.value() == EBUSY);
  CHECK(probe(machine).error().code.value() == EBUSY);
  machine.operations->close();
  CHECK(second->open());
}

TEST_CASE("a refused open holds no lock", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/57/stat", "57 (kdamond.0) S 2 0 0 0 -1 2129984 0 0\n");
  CHECK_FALSE(machine.operations->open());
  machine.tree.remove("/proc/57/stat");
  const std::unique_ptr<PageChecks> second =
      page_idle_operations().make<PageChecks>(machine.context);
  CHECK(second->open());
}

TEST_CASE("an open refused for iomem holds no lock", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.write("/proc/iomem", "");
  CHECK_FALSE(machine.operations->open());  // close() is for successful opens only
  machine.tree.write("/proc/iomem", "00000000-003fffff : System RAM\n");
  const std::unique_ptr<PageChecks> second =
      page_idle_operations().make<PageChecks>(machine.context);
  CHECK(second->open());
}

TEST_CASE("short reads drop the sample and are logged once", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  SECTION("of the bitmap, as for a word that is only partly below the last page") {
    machine.sample({1, 1000, 1010});
    for (int tick = 0; tick < 5; ++tick) {
      REQUIRE(machine.prepare());
      machine.touch(1);
      machine.tree.resize(kBitmapPath, 15 * 8 + 3);
      REQUIRE(machine.check());
    }
    CHECK(counts_of(machine.regions) == Counts{5, 0, 0});
  }
  SECTION("of the page flags") {
    machine.tree.resize(kFlagsPath, 900 * 8 + 7);
    machine.sample({1, 900, 1000});
    for (int tick = 0; tick < 5; ++tick) {
      REQUIRE(machine.prepare());
      machine.touch(1);
      REQUIRE(machine.check());
    }
    CHECK(counts_of(machine.regions) == Counts{5, 0, 0});
  }
  CHECK(machine.log.count(LogLevel::kWarning) == 1);
  machine.operations->close();
  CHECK(machine.log.count(LogLevel::kInfo, "10") == 1);  // counted: two pages, five times
}

TEST_CASE("garbage never counts as an access", "[page_idle]") {
  const uint64_t garbage =
      GENERATE(~uint64_t{0}, uint64_t{0x5555555555555555}, kPageCompoundTail | kPageLru);
  PageIdleMachine machine;
  machine.tree.write_words(kFlagsPath, std::vector<uint64_t>(1024, garbage));
  REQUIRE(machine.operations->open());
  machine.sample({0, 1, 63, 511, 512, 1023});
  for (int tick = 0; tick < 3; ++tick) {
    REQUIRE(machine.prepare());
    machine.tree.write_words(kBitmapPath, std::vector<uint64_t>(16, 0));
    REQUIRE(machine.check());
  }
  CHECK(counts_of(machine.regions) == Counts(6, 0));
  CHECK(machine.log.count(LogLevel::kWarning) == 1);
}

TEST_CASE("an I/O error ends it", "[page_idle]") {
  PageIdleMachine machine;
  machine.tree.remove(kBitmapPath);
  machine.tree.link(kBitmapPath, "/proc/self/mem");
  REQUIRE(machine.operations->open());
  machine.sample({5});
  const Result<void> prepared = machine.prepare();
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().code.value() == EIO);
  CHECK(mentions(prepared.error(), kBitmapPath));
}

TEST_CASE("update: memory is read again", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.tree.write("/proc/iomem",
                     "00000000-000fffff : System RAM\n00200000-005fffff : System RAM\n");
  CHECK(machine.operations->update().value() == Ranges{{0, 0x100000}, {0x200000, 0x600000}});
}

TEST_CASE("update: the bitmap vanished", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.tree.remove(kBitmapPath);
  const auto updated = machine.operations->update();
  REQUIRE_FALSE(updated);
  CHECK(mentions(updated.error(), kBitmapPath));
}

TEST_CASE("update: a kdamond that came later is warned of once per stay", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  for (int stay = 1; stay <= 2; ++stay) {
    machine.tree.write("/proc/57/stat", "57 (kdamond.0) S 2 0 0 0 -1 2129984 0 0\n");
    REQUIRE(machine.operations->update());
    REQUIRE(machine.operations->update());
    CHECK(machine.log.count(LogLevel::kWarning, "kdamond.0") == static_cast<size_t>(stay));
    machine.tree.remove("/proc/57/stat");
    REQUIRE(machine.operations->update());
  }
}

}  // namespace
}  // namespace damon_statfs::test
