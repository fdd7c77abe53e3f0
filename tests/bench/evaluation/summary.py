#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Collects the lines that the guests print and makes the evaluation's tables and chart of them.

One file of readings and one of runs are the results; everything else is computed from them again, so
that a run of a single workload replaces its own rows only.

usage: summary.py merge RESULTS PART LOG NOTE | summary.py tables RESULTS
"""
import datetime
import pathlib
import statistics
import sys

READING = ("part workload monitor kind t_s "
           "under_1s true_low_1s true_high_1s error_1s under_6s true_low_6s true_high_6s error_6s "
           "under_60s true_low_60s true_high_60s error_60s untouched_index idle_ratio "
           "bandwidth true_bandwidth aggr_us since_change_s").split()
RUN = "part workload monitor kind seconds kdamond_percent daemon_percent measured note".split()
LIMITS = ("1s", "6s", "60s")
CONVERGED_POINTS = 3


def load(path, columns):
    if not path.exists():
        return []
    lines = path.read_text().splitlines()[1:]
    return [dict(zip(columns, line.split("\t"))) for line in lines]


def store(path, columns, rows):
    lines = ["\t".join(row.get(column, "") for column in columns) for row in rows]
    path.write_text("\n".join(["\t".join(columns), *lines]) + "\n")


def key(row):
    return row["part"], row["workload"], row["monitor"]


def merge(results, part, log, note):
    readings, runs = [], []
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        mark, *words = line.split("\t")
        if mark != "EVAL":
            continue
        kind, workload, monitor, *values = words
        if kind in ("reading", "warm-up"):
            readings.append(dict(zip(READING, [part, workload, monitor, kind, *values])))
        elif kind == "run":
            runs.append(dict(zip(RUN, [part, workload, monitor, kind, *values])))
        elif kind == "failed":
            runs.append(dict(zip(RUN, [part, workload, monitor, kind, "", "", "",]),
                             note=" ".join(values)))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    for run in runs:
        run["measured"] = now
        run["note"] = "; ".join(filter(None, (run.get("note"), note)))
    new = {key(row) for row in runs + readings}
    for name, columns, rows in (("readings", READING, readings), ("runs", RUN, runs)):
        path = results / f"{name}.tsv"
        kept = [row for row in load(path, columns) if key(row) not in new]
        store(path, columns, sorted(kept + rows, key=key))
    if not runs:
        sys.exit(f"summary: {log} holds no results")


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
        if change is None or abs(t - since - change) > 1:
            if not found:
                times.append(float("inf"))
            change, found = t - since, False
        if not found and abs(float(row["error_1s"])) <= CONVERGED_POINTS:
            times.append(since)
            found = True
    return statistics.median(times) if times else None


def summarise(run, rows):
    judged = [row for row in rows if row["kind"] == "reading"]
    summary = dict(run, readings=len(judged))
    if not judged:
        return summary
    for limit in LIMITS:
        errors = [abs(float(row[f"error_{limit}"])) for row in judged]
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
    readings = {}
    for row in load(results / "readings.tsv", READING):
        readings.setdefault(key(row), []).append(row)
    return [summarise(run, readings.get(key(run), [])) for run in load(results / "runs.tsv", RUN)]


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
            table.append(cells + [f"none: {row['note']}"] + [""] * (len(head) - 3))
            continue
        cells.append(str(row["readings"]))
        cells += [text(row[f"{what}_{limit}"]) for limit in LIMITS for what in ("median", "p95")]
        cells += [text(row["idle_ratio"]), text(row.get("bandwidth_ratio")), text(row["spread"]),
                  text(row["aggr_ms"], 0), text(row["converged_s"], 1),
                  text(float(row["kdamond_percent"]) + float(row["daemon_percent"]))]
        table.append(cells)
    return markdown(head, table)


def cost_table(rows):
    head = ["workload", "monitor", "million instructions/s", "of it the kernel's thread",
            "aggr ms", "median error <1s", "<6s"]
    table = []
    for row in rows:
        if row["kind"] == "failed":
            table.append([row["workload"], row["monitor"], f"none: {row['note']}", "", "", "", ""])
            continue
        kdamond, daemon = float(row["kdamond_percent"]), float(row["daemon_percent"])
        # One percent of the guest's time of 1 ns per instruction is ten million instructions.
        table.append([row["workload"], row["monitor"], text((kdamond + daemon) * 10),
                      text(kdamond * 10), text(row.get("aggr_ms"), 0), text(row.get("median_1s")),
                      text(row.get("median_6s"))])
    return markdown(head, table)


def tables(results):
    rows = summaries(results)
    document = []
    for part, title, table in (("accuracy", "Accuracy", accuracy_table), ("cost", "Cost", cost_table)):
        of_part = [row for row in rows if row["part"] == part]
        if not of_part:
            continue
        (results / f"{part}.md").write_text(table(of_part))
        notes = sorted({f"{row['workload']}: {row['measured']}, {row['note']}" for row in of_part})
        document += [f"## {title}\n", table(of_part), "\n".join(f"- {note}" for note in notes) + "\n"]
    (results / "tables.md").write_text("\n".join(document))
    print("\n".join(document))


def main(arguments):
    if len(arguments) == 5 and arguments[0] == "merge":
        merge(pathlib.Path(arguments[1]), *arguments[2:])
    elif len(arguments) == 2 and arguments[0] == "tables":
        tables(pathlib.Path(arguments[1]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
