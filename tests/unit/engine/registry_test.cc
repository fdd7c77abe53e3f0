// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=NAME and ops=auto: which set is picked, which is never picked, and what is said when none can
// be.
#include "damon_statfs/registry.h"

#include <cerrno>
#include <stdexcept>

#include "support/catch.h"
#include "support/fake_mirror.h"
#include "support/fake_operations.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

OperationsSet refusing(std::string name, Result<std::string> (*probe)(const OperationsContext&)) {
  OperationsSet set = fake_operations(std::move(name));
  set.probe = probe;
  return set;
}

Result<std::string> no_file(const OperationsContext&) { return failure(ENODEV, "/a: missing"); }
Result<std::string> no_right(const OperationsContext&) { return failure(EACCES, "/b: forbidden"); }
Result<std::string> read_only(const OperationsContext&) { return failure(EROFS, "/e: read-only"); }
Result<std::string> locked_down(const OperationsContext&) { return failure(EPERM, "/f: no"); }
Result<std::string> in_use(const OperationsContext&) { return failure(EBUSY, "/c: in use"); }
Result<std::string> broken(const OperationsContext&) { return failure(EIO, "/d: broken"); }
Result<std::string> unasked(const OperationsContext&) { throw std::logic_error("probed"); }

TEST_CASE("a name is registered once", "[registry]") {
  OperationsRegistry registry;
  REQUIRE(registry.add(fake_operations("one")));
  REQUIRE(registry.add(fake_operations("two")));
  const Result<void> again = registry.add(fake_operations("one"));
  REQUIRE_FALSE(again);
  CHECK(again.error().code.value() == EEXIST);
  CHECK(again.error().context.find("one") != std::string::npos);
  CHECK(registry.sets().size() == 2);
}

TEST_CASE("sets are found by their whole name, and keep their order", "[registry]") {
  OperationsRegistry registry;
  registry.add(fake_operations("one")).value();
  registry.add(fake_operations("two")).value();
  CHECK(registry.find("two")->name == "two");
  CHECK(registry.find("tw") == nullptr);
  CHECK(registry.find("") == nullptr);
  CHECK(registry.find("auto") == nullptr);
  CHECK(registry.sets()[0].name == "one");
  CHECK(registry.sets()[1].name == "two");
}

TEST_CASE("auto takes the first that is usable", "[registry]") {
  OperationsRegistry registry;
  registry.add(refusing("broken", no_file)).value();
  registry.add(fake_operations("manual", false)).value();
  registry.add(fake_operations("first")).value();
  registry.add(fake_operations("second")).value();
  const SelectedSet selected = registry.select("auto", {}).value();
  CHECK(selected.set->name == "first");
  CHECK(selected.uses == "scripted");
}

TEST_CASE("auto does not probe what it does not need", "[registry]") {
  OperationsRegistry registry;
  OperationsSet manual = refusing("manual", unasked);
  manual.automatic = false;
  registry.add(std::move(manual)).value();
  registry.add(fake_operations("first")).value();
  registry.add(refusing("second", unasked)).value();
  CHECK(registry.select("auto", {}).value().set->name == "first");
}

TEST_CASE("auto's errno is that of the set nearest to working", "[registry]") {
  struct Row {
    std::vector<Result<std::string> (*)(const OperationsContext&)> probes;
    int errno_value;
  };
  const Row rows[] = {
      {{no_file}, ENODEV},
      {{broken}, ENODEV},
      {{no_right, no_file}, EACCES},
      {{no_file, no_right, broken}, EACCES},
      {{no_file, read_only}, EACCES},  // EROFS would be taken for the mount's own
      {{locked_down, no_file}, EACCES},
      {{in_use, no_right, no_file}, EBUSY},
      {{no_file, no_right, in_use}, EBUSY},
  };
  for (const Row& row : rows) {
    OperationsRegistry registry;
    for (const auto probe : row.probes) {
      registry.add(refusing(std::to_string(registry.sets().size()), probe)).value();
    }
    OperationsSet manual = refusing("manual", in_use);
    manual.automatic = false;  // its errno does not count
    if (row.errno_value != EBUSY) registry.add(std::move(manual)).value();
    CHECK(registry.select("auto", {}).error().code.value() == row.errno_value);
  }
}

TEST_CASE("probe asks every set, and keeps the order", "[registry]") {
  OperationsRegistry registry;
  registry.add(refusing("broken", no_file)).value();
  registry.add(fake_operations("first")).value();
  registry.add(fake_operations("manual", false)).value();
  const std::vector<ProbedSet> probed = registry.probe({});
  REQUIRE(probed.size() == 3);
  CHECK(probed[0].set->name == "broken");
  CHECK(probed[0].usable.error().context == "/a: missing");
  CHECK(probed[1].usable.value() == "scripted");
  CHECK(probed[2].set->name == "manual");
}

TEST_CASE("auto gives all reasons when none is usable", "[registry]") {
  OperationsRegistry registry;
  registry.add(refusing("one", no_file)).value();
  registry.add(refusing("two", no_right)).value();
  registry.add(fake_operations("manual", false)).value();
  const auto selected = registry.select("auto", {});
  REQUIRE_FALSE(selected);
  const std::string& reason = selected.error().context;
  CAPTURE(reason);
  CHECK(reason.find("one: /a: missing") != std::string::npos);
  CHECK(reason.find("two: /b: forbidden") != std::string::npos);
  CHECK(reason.find("manual") == std::string::npos);
}

TEST_CASE("auto with nothing registered", "[registry]") {
  CHECK(OperationsRegistry().select("auto", {}).error().code.value() == ENODEV);
}

TEST_CASE("a name is taken at its word", "[registry]") {
  OperationsRegistry registry;
  registry.add(refusing("broken", no_file)).value();
  registry.add(fake_operations("manual", false)).value();
  CHECK(registry.select("manual", {}).value().set->name == "manual");
  CHECK(registry.select("broken", {}).value().set->name == "broken");  // its open() says why not
  const auto unknown = registry.select("other", {});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code.value() == ENODEV);
}

TEST_CASE("who means a mirror", "[registry]") {
  OperationsRegistry registry;
  registry.add(fake_operations("manual", false)).value();
  registry.add(fake_mirror("mirror")).value();
  registry.add(fake_operations("first")).value();
  registry.add(fake_mirror("second")).value();
  CHECK(registry.means_mirror("auto", {}));
  CHECK(registry.means_mirror("mirror", {}));
  CHECK(registry.means_mirror("second", {}));
  CHECK_FALSE(registry.means_mirror("first", {}));
  CHECK_FALSE(registry.means_mirror("nosuch", {}));

  OperationsRegistry without;
  OperationsSet unusable = fake_mirror("mirror");
  unusable.probe = no_file;
  without.add(unusable).value();
  CHECK(without.means_mirror("mirror", {}));  // taken at its word
  CHECK_FALSE(without.means_mirror("auto", {}));
  without.add(refusing("other", no_right)).value();
  without.add(fake_mirror("late")).value();
  CHECK_FALSE(without.means_mirror("auto", {}));  // `other` was not even asked
}

TEST_CASE("built in: damon_stat first, page_idle, and sim that auto never picks", "[registry]") {
  const OperationsRegistry registry = built_in_operations();
  CHECK(registry.sets()[0].name == "damon_stat");
  CHECK(registry.find("page_idle") != nullptr);
  REQUIRE(registry.find("sim") != nullptr);
  CHECK_FALSE(registry.find("sim")->automatic);
  // A machine that has nothing, and a sim that would work.
  const TreeFixture tree{{"/sys/kernel/uevent_seqnum", "1\n"}};
  OperationsContext context;
  context.rootfs = tree.root();
  context.sim = {{uint64_t{1} << 30, 0}};
  const auto selected = registry.select("auto", context);
  REQUIRE_FALSE(selected);
  CHECK(selected.error().code.value() == ENODEV);
  CHECK(selected.error().context.find("/sys/kernel/mm/page_idle/bitmap") != std::string::npos);
  CHECK(selected.error().context.find("CONFIG_IDLE_PAGE_TRACKING") != std::string::npos);
  CHECK(selected.error().context.find("CONFIG_DAMON_STAT") != std::string::npos);
  CHECK_FALSE(registry.means_mirror("auto", context));
}

TEST_CASE("built in: auto takes the kernel's DAMON_STAT", "[registry]") {
  const TreeFixture tree{{"/sys/module/damon_stat/parameters/enabled", "N\n"}};
  OperationsContext context;
  context.rootfs = tree.root();
  const OperationsRegistry registry = built_in_operations();
  CHECK(registry.select("auto", context).value().set->name == "damon_stat");
  CHECK(registry.means_mirror("auto", context));
}

}  // namespace
}  // namespace damon_statfs::test
