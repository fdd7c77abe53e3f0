// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each snapshot says by when the thread will have published the next one; what is later than that
// is taken for a thread that hangs.
#include "engine/publisher.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <variant>

#include "engine/base/eventfd.h"

namespace damon_statfs {
namespace {

// How long a step of the engine, the choice of an operations set, and the time between two promises
// may take.
constexpr int64_t kMinStepNs = 5 * kNsPerSecond;
constexpr int64_t kMaxChoiceNs = 60 * kNsPerSecond;
constexpr int64_t kPromiseStepNs = kNsPerSecond;

}  // namespace

void Publisher::starting() {
  latest_.status = {};
  latest_.status.state = EngineState::kStarting;
  latest_.alive_until_ns = context_.clock->now_ns() + kMaxChoiceNs;
  publish();
}

// A stop may come meanwhile, so it is published.
void Publisher::opening(const OperationsSet& set) {
  latest_.status.max_call_ms = set.longest_call_ms(context_);
  extend_promise(context_.clock->now_ns());
  publish();
  signal_eventfd(wake_fd_);
}

void Publisher::begin(const OperationsSet& set, std::string_view estimator) {
  latest_.status.max_call_ms = set.longest_call_ms(context_);
  latest_.details = {};
  latest_.details.ops = set.name;
  latest_.details.estimator = estimator;
}

void Publisher::opened(const Estimator& estimator, int64_t began_ns, int64_t cpu_ns) {
  estimator_ = &estimator;
  started_cpu_ns_ = cpu_ns;
  latest_.details.started_ns = began_ns;
  latest_.details.monitored_bytes = estimator.monitored_bytes();
}

void Publisher::on(const Estimator& estimator) {
  const pid_t kdamond_pid = estimator.facts().kdamond_pid;
  latest_.status.state = EngineState::kOn;
  latest_.status.is_kdamond = kdamond_pid != -1;
  latest_.status.tid = latest_.status.is_kdamond ? kdamond_pid : gettid();
  publish();
  signal_eventfd(wake_fd_);
}

void Publisher::changed() {
  ++latest_.status.changes;
  publish();
}

void Publisher::mirrored(const Snapshot& shown, int64_t next_ns) {
  latest_.status.mirrors = true;
  latest_.status.state = shown.status.state;
  latest_.status.tid = shown.status.tid;
  latest_.status.is_kdamond = shown.status.tid != -1;
  if (latest_.statistics != shown.statistics) take(shown.statistics);
  latest_.details.aggr_us = shown.statistics.aggr_interval_us;
  extend_promise(next_ns);
  if (latest_ == published_) return;
  const bool status_changed = latest_.status != published_.status;
  publish();
  if (status_changed) signal_eventfd(wake_fd_);
}

void Publisher::forwarded(int errno_value) {
  ++latest_.status.forwarded;
  latest_.status.errno_value = errno_value;
}

void Publisher::promise_life(int64_t due_ns) {
  if (extend_promise(due_ns)) publish();
}

void Publisher::end(int errno_value) {
  latest_.status.state = EngineState::kOff;
  latest_.status.errno_value = errno_value;
  latest_.status.tid = -1;
  latest_.status.is_kdamond = false;
  latest_.status.mirrors = false;
  latest_.alive_until_ns = 0;
  estimator_ = nullptr;
  publish();
}

// What does not change from refresh to refresh is kept.
void Publisher::refreshed(const Statistics& statistics, const MonitoringDetails& details) {
  const MonitoringDetails before = latest_.details;
  take(statistics);
  latest_.details = details;
  latest_.details.refreshed = true;
  latest_.details.ops = before.ops;
  latest_.details.estimator = before.estimator;
  latest_.details.started_ns = before.started_ns;
  latest_.details.cpu_ns = context_.clock->thread_cpu_ns() - started_cpu_ns_;
  const OperationsFacts facts = estimator_ != nullptr ? estimator_->facts() : OperationsFacts();
  latest_.details.nr_dropped = facts.nr_dropped;
  latest_.details.kdamond_cpu_ns = facts.kdamond_cpu_ns;
  publish();
  log_refresh(details);
}

void Publisher::take(const Statistics& statistics) {
  latest_.statistics = statistics;
  latest_.taken_ns = context_.clock->now_ns();
  ++latest_.sequence;
}

// Returns: whether there is anything new to tell.
bool Publisher::extend_promise(int64_t due_ns) {
  const auto max_call_ns = static_cast<int64_t>(latest_.status.max_call_ms) * kNsPerMs;
  const int64_t needed_ns = due_ns + std::max(kMinStepNs, max_call_ns);
  const int64_t spare_ns = latest_.alive_until_ns - needed_ns;
  if (spare_ns >= 0 && spare_ns <= kPromiseStepNs) return false;
  latest_.alive_until_ns = needed_ns + kPromiseStepNs;
  return true;
}

void Publisher::publish() {
  cell_.publish(latest_);
  published_ = latest_;
}

void Publisher::log_refresh(const MonitoringDetails& details) const {
  const auto* const regions = std::get_if<RegionDetails>(&details.by_estimator);
  const auto* const pages = std::get_if<PageDetails>(&details.by_estimator);
  context_.log(
      LogLevel::kDebug,
      fmt::format("refreshed: {} regions, {} pages, sample_us={} aggr_us={}",
                  regions != nullptr ? regions->nr_regions : 0,
                  pages != nullptr ? pages->nr_pages : 0, details.sample_us, details.aggr_us));
}

}  // namespace damon_statfs
