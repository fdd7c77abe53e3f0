// SPDX-License-Identifier: GPL-2.0-or-later
//
// The estimator of pages over a source that answers by itself once per period, as the kernel's
// DAMON does with regions of one page: nothing of rounds, marks and checks is asked of it.
#include <cerrno>
#include <map>
#include <string>

#include "engine/pages/page_sampler.h"
#include "support/catch.h"
#include "support/fake_clock.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// The first quarter of memory is accessed all the time, the rest never.
class PeriodicPages final : public ObservedPages {
 public:
  explicit PeriodicPages(FakeClock& clock) : clock_(clock) {}

  Result<std::vector<AddressRange>> open() override {
    calls += "open ";
    deadline_ns_ = clock_.now_ns() + period_ns();
    return ranges;
  }
  Result<std::vector<AddressRange>> update() override { return ranges; }
  void close() noexcept override { calls += "close "; }
  OperationsFacts facts() const override { return {4711, 3}; }

  Result<void> select(std::span<const PageState> pages) override {
    calls += "select ";
    std::map<uint64_t, PageState> kept;
    for (const PageState& page : pages) {
      const auto old = states_.find(page.addr);
      kept[page.addr] = old == states_.end() ? page : old->second;
    }
    states_ = std::move(kept);
    return outcome::success();
  }
  std::vector<PageState> states() const override {
    std::vector<PageState> states;
    for (const auto& [addr, state] : states_) states.push_back(state);
    return states;
  }
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<Progress> step() override {
    if (step_errno != 0) return failure(step_errno, "scripted error");
    const int64_t now_ns = clock_.now_ns();
    for (auto& [addr, state] : states_) {
      const bool accessed = addr < ranges[0].end / 4;
      if (state.observed_ns == 0 || accessed != state.accessed) state.since_ns = now_ns;
      state.kind = PageKind::kTracked;
      state.accessed = accessed;
      state.observed_ns = now_ns;
    }
    deadline_ns_ += period_ns();
    return ++periods % 5 == 0 ? Progress::kRefresh : Progress::kRound;
  }
  void change(const RunSettings& settings) override { settings_refresh_ms = settings.refresh_ms; }
  void spare_checks(bool) override {}
  AccessRate take_access_rate() override { return {50, 5'000, 100'000}; }
  int64_t period_ns() const override { return kNsPerSecond; }
  uint64_t nr_checks() const override { return 0; }

  std::vector<AddressRange> ranges{{0, 4 * kGiB}};
  std::string calls;
  int periods = 0, step_errno = 0;
  uint64_t settings_refresh_ms = 0;

 private:
  FakeClock& clock_;
  int64_t deadline_ns_ = 0;
  std::map<uint64_t, PageState> states_;  // by address
};

class SourceRun final : public MonitoringObserver {
 public:
  SourceRun() { sampler.emplace(config, pages, clock, *this); }

  Result<void> step() {
    clock.wait_until(sampler->deadline_ns(), -1);
    return sampler->step();
  }
  void refreshed(const Statistics& new_statistics, const MonitoringDetails& new_details) override {
    ++refreshes;
    statistics = new_statistics;
    details = new_details;
  }
  void before_stop() override { pages.calls += "stop "; }

  FakeClock clock;
  PeriodicPages pages{clock};
  PageSamplerConfig config;
  std::optional<PageSampler> sampler;
  int refreshes = 0;
  Statistics statistics;
  MonitoringDetails details;
};

TEST_CASE("states come up as they are", "[page_sampler][source]") {
  SourceRun run;
  REQUIRE(run.sampler->start());
  CHECK(run.pages.calls == "open select ");
  for (int period = 1; period <= 10; ++period) {
    REQUIRE(run.step());
    CHECK(run.refreshes == period / 5);
  }
  CHECK(run.pages.calls == "open select ");
  CHECK(run.statistics.memory_idle_ms_percentiles[20] == -9'000);
  CHECK(run.statistics.memory_idle_ms_percentiles[30] == 9'000);
  CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == 50 * 4 * kGiB);
  CHECK(run.statistics.aggr_interval_us == 100'000);
  CHECK(run.details.sample_us == 5'000);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  CHECK(run.sampler->facts().kdamond_pid == 4711);
  run.sampler->stop();
  CHECK(run.pages.calls == "open select stop close ");
}

TEST_CASE("memory that moves is sampled anew, and the source told so", "[page_sampler][source]") {
  SourceRun run;
  REQUIRE(run.sampler->start());
  const size_t before = run.pages.states().size();
  run.pages.ranges = {{0, 4 * kGiB}, {8 * kGiB, 12 * kGiB}};
  for (int period = 0; period < 70; ++period) REQUIRE(run.step());
  CHECK(run.pages.calls == "open select select ");
  CHECK(run.sampler->monitored_bytes() == 8 * kGiB);
  const std::vector<PageState> states = run.pages.states();
  CHECK(states.size() > before * 4 / 10);
  size_t beyond = 0;
  for (const PageState& page : states) beyond += page.addr >= 8 * kGiB ? 1 : 0;
  CHECK(beyond > states.size() * 4 / 10);
}

TEST_CASE("settings and errors pass through", "[page_sampler][source]") {
  SourceRun run;
  REQUIRE(run.sampler->start());
  run.sampler->change({5, 2'000, {}});
  CHECK(run.pages.settings_refresh_ms == 2'000);
  run.pages.step_errno = ESRCH;
  const Result<void> stepped = run.step();
  REQUIRE_FALSE(stepped);
  CHECK(stepped.error().code.value() == ESRCH);
}

}  // namespace
}  // namespace damon_statfs::test
