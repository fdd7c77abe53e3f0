// SPDX-License-Identifier: GPL-2.0-or-later
//
// The program that judges a mount inside a guest. It is a program and not a script because it must
// notice readings within 200 ms while the daemon and the workload use both processors.
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>

#include "checks.h"
#include "free_memory.h"

namespace guest_test {
namespace {

constexpr const char* kUsage =
    "Usage: checker free-range\n"
    "       checker accuracy|quiet|free|budget [--name SCENARIO] [--dir DIRECTORY] [--state FILE]\n"
    "               [--settle SECONDS] [--seconds SECONDS] [--max-cpu PERCENT] [--limit-points "
    "POINTS]\n"
    "               [--limit-worst POINTS] [--limit-idle PERCENT] [--limit-cold PERCENT] [--what "
    "TEXT] [--range "
    "START-END] [--span]\n"
    "               [--limit-bandwidth PERCENT] [--judge-60s] [--judge-first] [--cold-again]\n"
    "               [--note-6s] [--note-cold] [--note-idle] [--only-print]\n";

using Check = void (*)(const Arguments&, Report&);

const std::map<std::string, Check> kChecks = {{"accuracy", check_accuracy},
                                              {"quiet", check_quiet},
                                              {"free", check_free},
                                              {"budget", check_budget}};

int run(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "free-range") {
    std::puts(to_text(find_free_range()).c_str());
    return 0;
  }
  const auto check = kChecks.find(argc > 1 ? argv[1] : "");
  if (check == kChecks.end()) throw std::invalid_argument("which check?");
  const Arguments arguments(argc, argv, 2,
                            {"--span", "--cold-again", "--judge-60s", "--judge-first", "--note-6s",
                             "--note-cold", "--note-idle", "--only-print"},
                            {{"--name", check->first},
                             {"--dir", "/mnt"},
                             {"--state", "/run/workload"},
                             {"--settle", "60"},
                             {"--seconds", "65"},
                             {"--max-cpu", "100"},
                             {"--limit-points", "8"},
                             {"--limit-worst", "12"},
                             {"--limit-idle", "20"},
                             {"--limit-cold", "20"},
                             {"--limit-bandwidth", ""},
                             {"--what", "idle guest"},
                             {"--range", ""}});
  Report report(arguments.text("--name"), arguments.has("--only-print"));
  try {
    check->second(arguments, report);
  } catch (const std::runtime_error& error) {
    report.check(false, error.what());
  }
  return report.exit_status();
}

}  // namespace
}  // namespace guest_test

int main(int argc, char** argv) try {
  return guest_test::run(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "checker: %s\n%s", error.what(), guest_test::kUsage);
  return 2;
}
