#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Collects the lines that the guests print and makes the evaluation's tables and chart of them.

One file of readings and one of runs are the results; everything else is computed from them again, so
that a run of a single workload replaces its own rows only.

usage: summary.py merge RESULTS PART LOG KERNEL NOTE | summary.py tables RESULTS
"""
import json
import pathlib
import statistics
import subprocess
import sys

from draws import HEAD as DRAWS_HEAD, LIMITS, draws_rows
from rows import ONLY_KERNEL, SPDX, key, load, merge

CONVERGED_POINTS = 3
MONITORS = "damon_stat kdamond regions kdamond_pages pages".split()
WORKLOADS = "hot16 hot512 hot3g warm scattered moving thp pagecache heap idle".split()


def percentile(values, percent):
    """The smallest value that at least so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def convergence(rows):
    """Seconds from each change to the first reading that is near the truth again: the median."""
    times, change, found = [], None, True
    for row in rows:
        t, since = float(row["t_s"]), float(row["since_change_s"])
        if since < 0 or t < since:
            continue
        # Each draw counts its own time from 0.
        if change is None or abs(t - since - change) > 1:
            if not found:
                times.append(float("inf"))
            change, found = t - since, False
        if not found and abs(float(row["error_1s"])) <= CONVERGED_POINTS:
            times.append(since)
            found = True
    return statistics.median(times) if times else None


def summarise(runs, rows):
    """Of all draws of one workload and monitor on one kernel."""
    judged = [row for row in rows if row["kind"] == "reading"]
    summary = dict(runs[0], readings=len(judged), rows=rows)
    ended = [run for run in runs if run["kind"] == "run"]
    if ended:
        summary["kind"] = "run"
        for name in ("kdamond_percent", "daemon_percent"):
            summary[name] = statistics.fmean(float(run[name]) for run in ended)
    if not judged:
        return summary
    for limit in LIMITS:
        # As long as monitoring is younger than the limit everything is idle for less, and nothing is shown.
        errors = [abs(float(row[f"error_{limit}"])) for row in judged
                  if float(row["t_s"]) > float(limit[:-1]) + 1]
        if errors:
            summary[f"median_{limit}"] = statistics.median(errors)
            summary[f"p95_{limit}"] = percentile(errors, 95)
    summary["idle_ratio"] = statistics.median(float(row["idle_ratio"]) for row in judged)
    bandwidths = [float(row["bandwidth"]) for row in judged]
    summary["spread"] = max(bandwidths) / min(bandwidths) if min(bandwidths) > 0 else float("inf")
    ratios = [float(row["bandwidth"]) / float(row["true_bandwidth"]) for row in judged
              if float(row["true_bandwidth"]) > 0]
    if ratios:
        summary["bandwidth_ratio"] = statistics.median(ratios)
    summary["aggr_ms"] = statistics.median(float(row["aggr_us"]) for row in judged) / 1000
    summary["converged_s"] = convergence(rows)
    return summary


def summaries(results):
    readings, runs = {}, {}
    for row in load(results, "readings"):
        readings.setdefault(key(row), []).append(row)
    for run in load(results, "runs"):
        runs.setdefault(key(run), []).append(run)
    return [summarise(of, readings.get(which, [])) for which, of in runs.items()]


def text(value, digits=2):
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else f"{value:.{digits}f}"


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def accuracy_table(rows):
    head = ["workload", "monitor", "readings"]
    head += [f"{what} error <{limit}" for limit in LIMITS for what in ("median", "p95")]
    head += ["idle/true", "bandwidth/true", "bandwidth max/min", "aggr ms", "converged s", "CPU %"]
    table = []
    for row in rows:
        cells = [row["workload"], row["monitor"]]
        if "median_1s" not in row:
            why = row["note"] if row["kind"] == "failed" else "no reading in this time"
            table.append(cells + [f"none: {why}"] + [""] * (len(head) - 3))
            continue
        cells.append(str(row["readings"]))
        cells += [text(row.get(f"{what}_{limit}")) for limit in LIMITS for what in ("median", "p95")]
        cells += [text(row["idle_ratio"]), text(row.get("bandwidth_ratio")), text(row["spread"]),
                  text(row["aggr_ms"], 0), text(row["converged_s"], 1),
                  text(row["kdamond_percent"] + row["daemon_percent"])]
        table.append(cells)
    return markdown(head, table)


def checks(status):
    """Checks per second and thousands of instructions each, of the whole time since the write of Y."""
    facts = json.loads(status) if status else {}
    number, elapsed_s = facts.get("nr_checks"), facts.get("monitoring_s")
    if not number or not elapsed_s:
        return ["", ""]
    return [text(number / elapsed_s, 0), text(facts["engine_cpu_s"] * 1e6 / number, 1)]


def cost_table(rows, statuses):
    head = ["workload", "monitor", "million instructions/s", "of it the kernel's thread",
            "aggr ms", "median error <1s", "<6s", "<60s", "idle/true", "checks/s", "thousand instructions per check"]
    table = []
    for row in rows:
        if row["kind"] == "failed":
            table.append([row["workload"], row["monitor"], f"none: {row['note']}"] + [""] * 8)
            continue
        kdamond, daemon = row["kdamond_percent"], row["daemon_percent"]
        # One percent of the guest's time of 1 ns per instruction is ten million instructions.
        table.append([row["workload"], row["monitor"], text((kdamond + daemon) * 10),
                      text(kdamond * 10), text(row.get("aggr_ms"), 0), text(row.get("median_1s")),
                      text(row.get("median_6s")), text(row.get("median_60s")), text(row.get("idle_ratio")),
                      *checks(statuses.get(key(row)))])
    return markdown(head, table)


def overhead_table(rows):
    """Slowdown is told twice: one processor does both, so the monitor's own time is in the first."""
    rounds = {}
    for row in rows:
        rounds.setdefault((row["workload"], row["monitor"]), {})[row["round"]] = row
    table, slowdowns = [], {}
    for (stressor, monitor), of in sorted(rounds.items()):
        if set(of) != {"off", "on", "again"}:
            continue
        ns = {name: float(row["elapsed_ns"]) for name, row in of.items()}
        cpu = float(of["on"]["cpu_ns"])
        base = (ns["off"] + ns["again"]) / 2
        values = (100 * (ns["on"] / base - 1), 100 * ((ns["on"] - cpu) / base - 1),
                  100 * abs(ns["off"] - ns["again"]) / base, 100 * cpu / ns["on"])
        slowdowns.setdefault(monitor, []).append(values)
        table.append([stressor, monitor, text(base / 1e9), *(text(value, 3) for value in values)])
    for monitor, values in slowdowns.items():
        for name, choose in (("median", statistics.median), ("worst", max)):
            table.append([f"**{name} of {len(values)}**", monitor, "",
                          *(text(choose(column), 3) for column in zip(*values))])
    return markdown(["stressor", "monitor", "seconds", "slowdown %", "without the monitor's own time %",
                     "two runs without differ by %", "monitor CPU %"], table)


def memory_table(rows):
    return markdown(["monitor", "resident MiB", "less available with it, MiB"],
                    [[row["monitor"], text(float(row["rss_kib"]) / 1024),
                      text(float(row["used_kib"]) / 1024)] for row in rows])


def share_below(percentiles, limit_ms):
    count = sum(1 for value in percentiles if value < limit_ms)
    return 0 if count == 0 else 100 if count == 101 else count - 0.5


def simulated_table(rows):
    """The truth is in scale.sh: 12.5 to 25 % below 1 s, 25 % below 6 s and 60 s."""
    table = []
    for row in sorted(rows, key=lambda row: (row["monitor"], int(row["workload"].split("-")[1]))):
        values = [int(value) for value in row["percentiles"].split(",")]
        below = [share_below(values, limit) for limit in (1_000, 6_000, 60_000)]
        errors = [max(12.5 - below[0], below[0] - 25, 0), abs(below[1] - 25), abs(below[2] - 25)]
        table.append([row["workload"].split("-")[1], row["monitor"], text(float(row["cpu_percent"]), 3),
                      text(float(row["aggr_us"]) / 1000, 0), *(text(error, 1) for error in errors)])
    return markdown(["GiB", "monitor", "CPU %", "aggr ms", "error <1s", "error <6s", "error <60s"], table)


def chart(results, rows):
    """The data of chart.gnuplot: a block per limit, a line per workload, median and p95 per monitor."""
    found = {(row["workload"], row["monitor"]): row for row in rows if "median_1s" in row}
    monitors = sorted({monitor for _, monitor in found},
                      key=lambda name: MONITORS.index(name) if name in MONITORS else len(MONITORS))
    workloads = [name for name in WORKLOADS if any(name == workload for workload, _ in found)]
    # A panel without a bar is an error to gnuplot.
    if not all(any(f"median_{limit}" in row for row in found.values()) for limit in LIMITS):
        return
    blocks = []
    for limit in LIMITS:
        lines = ["\t".join(["workload", *(word for name in monitors for word in (name, "low", "p95"))])]
        for workload in workloads:
            cells = [workload]
            for name in monitors:
                row = found.get((workload, name))
                known = row is not None and f"median_{limit}" in row
                cells += ([text(row[f"median_{limit}"])] * 2 + [text(row[f"p95_{limit}"])] if known
                          else ["nan"] * 3)
            lines.append("\t".join(cells))
        blocks.append("\n".join(lines))
    data = results / "chart.tsv"
    data.write_text(f"# {SPDX}\n" + "\n\n\n".join(blocks) + "\n")
    svg = results / "accuracy.svg"
    subprocess.run(["gnuplot", "-e", f"data='{data}'; output='{svg}'; monitors='{' '.join(monitors)}'",
                    str(pathlib.Path(__file__).parent / "chart.gnuplot")],
                   check=True)
    svg.write_text(svg.read_text() + f"<!-- {SPDX} -->\n")


def draws_table(rows):
    """Empty unless a sample was drawn more than once."""
    table = draws_rows([(row["workload"], row["monitor"], row["rows"]) for row in rows])
    return markdown(DRAWS_HEAD, table) if table else ""


def tables_of_kernel(rows, statuses, kernel):
    document = []
    for part, title, table in (("accuracy", "Accuracy, errors in percentage points", accuracy_table),
                               ("accuracy", "Draws of the sample, errors of the status's exact shares", draws_table),
                               ("cost", "Cost, counted in instructions", cost_table),
                               ("scale", "page_idle by memory size, counted in instructions", cost_table)):
        of_part = [row for row in rows if row["part"] == part]
        made = table(of_part, statuses) if table is cost_table else table(of_part)
        if of_part and made:
            notes = sorted({f"{row['workload']}: {row['measured']}, {row['note']}" for row in of_part})
            document += [f"## {title}: kernel {kernel}\n", made]
            document += ["\n".join(f"- {note}" for note in notes) + "\n"] if table is not draws_table else []
    return document


def tables(results):
    rows = summaries(results)
    statuses = {key(row): row["json"] for row in load(results, "status")}
    document = []
    for kernel in sorted({row["kernel"] for row in rows}, key=lambda name: (name != ONLY_KERNEL, name)):
        document += tables_of_kernel([row for row in rows if row["kernel"] == kernel], statuses, kernel)
    for name, title, table in (("simulated", "Simulated memory", simulated_table),
                               ("overhead", "Overhead", overhead_table), ("memory", "Memory", memory_table)):
        kept = load(results, name)
        if kept:
            document += [f"## {title}\n", table(kept)]
    (results / "tables.md").write_text("\n".join(document))
    print("\n".join(document))
    chart(results, [row for row in rows if row["part"] == "accuracy" and row["kernel"] == ONLY_KERNEL])


def main(arguments):
    if len(arguments) == 6 and arguments[0] == "merge":
        merge(pathlib.Path(arguments[1]), *arguments[2:])
    elif len(arguments) == 2 and arguments[0] == "tables":
        tables(pathlib.Path(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
