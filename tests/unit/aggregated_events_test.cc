// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tracing may be mounted elsewhere, or not at all, and whoever reads the log must learn which file
// is missing. No test opens an event of this machine's.
#include "engine/aggregated_events.h"

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
