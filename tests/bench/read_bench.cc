// SPDX-License-Identifier: GPL-2.0-or-later
//
// How fast files of several filesystems can be read, against each other. All are measured in turn
// within each round and compared within it, so that what else the machine does hits all of them
// alike.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "readers.h"
#include "summary.h"

namespace damon_statfs::bench {
namespace {

constexpr std::string_view kUsage =
    "usage: read_bench ROUNDS MILLISECONDS NAME=FILE[,PID]...\n"
    "Compares reading the FILEs; tables relative to each one whose NAME begins with @.\n"
    "PID is the daemon whose CPU time per read is shown.\n";

struct Kind {
  const char* name;
  ReadMode mode;
  int nr_readers;
};
constexpr std::array<Kind, 4> kKinds = {{{"open+read+close, 1 reader", ReadMode::kCycle, 1},
                                         {"8 readers", ReadMode::kCycle, 8},
                                         {"pread, 1 reader", ReadMode::kPread, 1},
                                         {"8 readers", ReadMode::kPread, 8}}};

struct File {
  std::string name;
  std::string path;
  pid_t daemon = 0;
  bool reference = false;
  std::array<std::vector<double>, kKinds.size()> rates{};   // reads per second, by round
  std::array<std::vector<double>, kKinds.size()> cpu_us{};  // of the daemon, per read
};

// Returns: CPU time of all threads that the process has or had.
double process_cpu_us(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) return 0;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

File parse_file(std::string_view word) {
  File file;
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) {
    fmt::print(stderr, "{}", kUsage);
    std::exit(EXIT_FAILURE);
  }
  file.reference = word[0] == '@';
  file.name = word.substr(file.reference ? 1 : 0, equals - (file.reference ? 1 : 0));
  const std::string_view rest = word.substr(equals + 1);
  const size_t comma = rest.rfind(',');
  file.path = rest.substr(0, comma);
  if (comma != std::string_view::npos) file.daemon = std::atoi(rest.substr(comma + 1).data());
  return file;
}

void measure(File& file, size_t kind, int duration_ms) {
  const double cpu_before_us = process_cpu_us(file.daemon);
  const double rate =
      reads_per_second(file.path, kKinds[kind].mode, kKinds[kind].nr_readers, duration_ms);
  file.rates[kind].push_back(rate);
  const double reads = rate * duration_ms / 1e3;
  file.cpu_us[kind].push_back((process_cpu_us(file.daemon) - cpu_before_us) / reads);
}

void print_kinds_head() {
  std::vector<std::string> head = {"file"};
  for (const Kind& kind : kKinds) head.emplace_back(kind.name);
  print_head(head);
}

// A table of summary(values of one cell), all with so many digits after the point.
template <class Values>
void print_table(const std::vector<File>& files, int digits, Values values) {
  print_kinds_head();
  for (const File& file : files) {
    std::vector<std::string> row = {file.name};
    for (size_t kind = 0; kind < kKinds.size(); ++kind) {
      row.push_back(summary(values(file, kind), digits));
    }
    print_row(row);
  }
}

std::vector<double> divide(const std::vector<double>& values, const std::vector<double>& by) {
  std::vector<double> ratios;
  for (size_t i = 0; i < values.size(); ++i) ratios.push_back(values[i] / by[i]);
  return ratios;
}

void print_tables(const std::vector<File>& files) {
  for (const File& reference : files) {
    if (!reference.reference) continue;
    fmt::print("\nSpeed of reading, {} = 1:\n\n", reference.name);
    print_table(files, 3, [&](const File& file, size_t kind) {
      return divide(file.rates[kind], reference.rates[kind]);
    });
  }
  fmt::print("\nThousand reads per second, all readers together:\n\n");
  print_table(files, 1, [](const File& file, size_t kind) {
    return divide(file.rates[kind], std::vector<double>(file.rates[kind].size(), 1e3));
  });
  fmt::print("\nCPU time of the daemon per read, in us:\n\n");
  print_table(files, 1, [](const File& file, size_t kind) { return file.cpu_us[kind]; });
}

}  // namespace
}  // namespace damon_statfs::bench

int main(int argc, char** argv) {
  using namespace damon_statfs::bench;
  if (argc < 4) {
    fmt::print(stderr, "{}", kUsage);
    return EXIT_FAILURE;
  }
  const int rounds = std::atoi(argv[1]);
  const int duration_ms = std::atoi(argv[2]);
  std::vector<File> files;
  for (int i = 3; i < argc; ++i) files.push_back(parse_file(argv[i]));
  for (int round = 0; round < rounds; ++round) {
    for (size_t kind = 0; kind < kKinds.size(); ++kind) {
      for (File& file : files) measure(file, kind, duration_ms);
    }
  }
  print_tables(files);
}
