// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tracing may be mounted elsewhere, or not at all, and a reader of the log must learn which file is
// missing. No test opens an event of this machine's.
#include "engine/damon/aggregated_events.h"

#include <linux/magic.h>

#include <cerrno>

#include "support/catch.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("where the tracepoint is", "[aggregated_events]") {
  TreeFixture tree;
  const RootedKernelFiles files(tree.root());
  const auto nowhere = find_aggregated_events(files);
  REQUIRE(failed_with(nowhere, ENOENT));
  CHECK(nowhere.error().context.find("/sys/kernel/tracing/events/damon/damon_aggregated/id") !=
        std::string::npos);
  tree.write("/sys/kernel/debug/tracing/events/damon/damon_aggregated/id", "734\n");
  CHECK(find_aggregated_events(files).value() ==
        "/sys/kernel/debug/tracing/events/damon/damon_aggregated");
  tree.write("/sys/kernel/tracing/events/damon/damon_aggregated/id", "734\n");
  CHECK(find_aggregated_events(files).value() ==
        "/sys/kernel/tracing/events/damon/damon_aggregated");
}

// A kernel whose tracefs has no more than these files.
class Tracing final : public KernelFiles {
 public:
  Tracing(std::vector<std::string> names, uint64_t kind) : names_(std::move(names)), kind_(kind) {}
  Result<std::string> read(const std::string& path) const override { return failure(ENOENT, path); }
  Result<void> write(const std::string& path, const std::string&) const override {
    return failure(EACCES, path);
  }
  Result<std::vector<std::string>> list(const std::string&) const override { return names_; }
  Result<uint64_t> filesystem_kind(const std::string&) const override { return kind_; }

 private:
  const std::vector<std::string> names_;
  const uint64_t kind_;
};

TEST_CASE("why there is no tracepoint", "[aggregated_events]") {
  const auto reason = [](const Tracing& files) {
    const Result<std::string> events = find_aggregated_events(files);
    REQUIRE(failed_with(events, ENOENT));
    return events.error().context.substr(events.error().context.find(", ") + 2);
  };
  // In lockdown tracefs_create_file() makes nothing; the mountpoint in sysfs is empty by itself.
  CHECK(reason({{}, TRACEFS_MAGIC}) ==
        "tracefs is mounted and empty, as the kernel is locked down");
  CHECK(reason({{}, SYSFS_MAGIC}) == "tracefs is not mounted");
  CHECK(reason({{"README", "events"}, TRACEFS_MAGIC}) == "tracefs has no such event");
}

TEST_CASE("tracing files that are of no use", "[aggregated_events]") {
  const std::string directory = "/sys/kernel/tracing/events/damon/damon_aggregated";
  TreeFixture tree;
  const RootedKernelFiles files(tree.root());
  LogLines lines;
  CHECK(failed_with(open_aggregated_events(files, 1, 1000, lines.sink()), ENOENT));
  tree.write(directory + "/id", "seven\n");
  const auto no_id = open_aggregated_events(files, 1, 1000, lines.sink());
  REQUIRE(failed_with(no_id, EIO));
  CHECK(no_id.error().context.find(directory + "/id") != std::string::npos);
  tree.write(directory + "/id", "734\n");
  CHECK(failed_with(open_aggregated_events(files, 1, 1000, lines.sink()), ENOENT));
  tree.write(directory + "/format", "nothing\n");
  const auto no_field = open_aggregated_events(files, 1, 1000, lines.sink());
  REQUIRE(failed_with(no_field, EIO));
  CHECK(no_field.error().context.find(directory + "/format") != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
