// SPDX-License-Identifier: GPL-2.0-or-later
//
// Watches one monitor beside a workload and prints every reading next to the truth, one line each.
// It judges nothing: medians and tables are made outside of the guest, from the lines.
#include <cstdio>
#include <exception>
#include <string>

#include "arguments.h"
#include "expected.h"
#include "monitor_cpu.h"
#include "readings.h"
#include "told_shares.h"
#include "touch_record.h"
#include "truth.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr int64_t kLimitsMs[] = {1'000, 6'000, 60'000};
constexpr const char* kUsage =
    "Usage: eval_checker [--workload NAME] [--monitor NAME] [--dir DIRECTORY] [--daemon PID]\n"
    "                    [--settle SECONDS] [--seconds SECONDS] [--poll-ms MS] [--state FILE]\n"
    "                    [--span]\n";

int64_t number_in(const std::string& path) {
  const std::string text = read_text(path);
  return text.empty() ? 0 : std::stoll(text);
}

class Watch {
 public:
  explicit Watch(const Arguments& arguments)
      : arguments_(arguments),
        directory_(arguments.text("--dir")),
        record_(TouchRecord::open(arguments.text("--state"))),
        monitored_{system_ram_bytes(arguments.has("--span")), 0} {}

  void run() {
    monitored_.since_ns = switch_on(directory_);
    last_ = record_.read();
    last_ns_ = monitored_.since_ns;
    ReadingPoller poller(directory_, static_cast<int64_t>(arguments_.number("--poll-ms")));
    const double settle_s = arguments_.number("--settle");
    print_readings(poller, "warm-up", settle_s);
    MonitorCpu cpu(static_cast<int>(arguments_.number("--daemon")));
    print_readings(poller, "reading", settle_s + arguments_.number("--seconds"));
    print_name("run");
    std::printf("\t%.1f\t%.5f\t%.5f\n", arguments_.number("--seconds"), cpu.kdamond_percent(),
                cpu.daemon_percent());
    std::puts(cpu.kdamonds_text().c_str());
    std::fflush(stdout);
  }

 private:
  void print_name(const char* kind) const {
    std::printf("EVAL\t%s\t%s\t%s", kind, arguments_.text("--workload").c_str(),
                arguments_.text("--monitor").c_str());
  }

  void print_readings(ReadingPoller& poller, const char* kind, double end_s) {
    const int64_t end_ns = monitored_.since_ns + static_cast<int64_t>(end_s * kNsPerSecond);
    while (const auto reading = poller.next(end_ns)) print_reading(kind, *reading);
  }

  // The columns are named in tests/bench/evaluation/rows.py.
  void print_reading(const char* kind, const Reading& reading) {
    const auto told = told_shares(directory_);
    const TouchState state = record_.read();
    const double age_s =
        static_cast<double>(reading.noticed_ns - monitored_.since_ns) / kNsPerSecond;
    print_name(kind);
    std::printf("\t%.2f", age_s);
    for (const int64_t limit_ms : kLimitsMs) {
      const double share = share_below(reading.percentiles, limit_ms);
      const ShareRange truth = share_idle_below(state, monitored_, reading.noticed_ns, limit_ms);
      std::printf("\t%.2f\t%.2f\t%.2f\t%+.2f", share, truth.low, truth.high,
                  distance(share, truth));
    }
    const auto index = static_cast<size_t>((100 + share_touched(state, monitored_)) / 2);
    std::printf("\t%zu\t%.4f", index,
                static_cast<double>(reading.percentiles[index]) / (age_s * 1000));
    const int64_t aggr_us = number_in(directory_ + "/aggr_interval_us");
    std::printf("\t%.0f\t%.0f\t%lld\t%.2f",
                static_cast<double>(number_in(directory_ + "/estimated_memory_bandwidth")),
                bytes_per_second(last_, state, reading.noticed_ns - last_ns_, aggr_us / 20),
                static_cast<long long>(aggr_us),
                state.changed_ns == 0
                    ? -1
                    : static_cast<double>(reading.noticed_ns - state.changed_ns) / kNsPerSecond);
    for (const ToldShare& share : told) {
      std::printf("\t%.3f\t%.3f", share.percent, share.standard_error);
    }
    std::putchar('\n');
    std::fflush(stdout);
    last_ = state;
    last_ns_ = reading.noticed_ns;
  }

  const Arguments& arguments_;
  std::string directory_;
  TouchRecord record_;
  Monitored monitored_;
  TouchState last_;  // at the reading before, or when monitoring began
  int64_t last_ns_ = 0;
};

}  // namespace
}  // namespace guest_test

int main(int argc, char** argv) try {
  using guest_test::Arguments;
  const Arguments arguments(argc, argv, 1, {"--span"},
                            {{"--workload", "unnamed"},
                             {"--monitor", "unnamed"},
                             {"--dir", "/mnt"},
                             {"--daemon", "0"},
                             {"--settle", "65"},
                             {"--seconds", "60"},
                             {"--poll-ms", "50"},
                             {"--state", "/run/workload"}});
  guest_test::Watch(arguments).run();
} catch (const std::exception& error) {
  std::fprintf(stderr, "eval_checker: %s\n%s", error.what(), guest_test::kUsage);
  return 1;
}
