# SPDX-License-Identifier: GPL-2.0-or-later
"""The evaluation's results as files: tables of the lines that the guests print.

One row per line, replaced when the same workload and monitor are measured again. Everything else is
computed from them by summary.py.
"""
import datetime
import pathlib
import sys

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
COLUMNS = {
    "readings": ("part workload monitor kind t_s "
                 "under_1s true_low_1s true_high_1s error_1s "
                 "under_6s true_low_6s true_high_6s error_6s "
                 "under_60s true_low_60s true_high_60s error_60s untouched_index idle_ratio "
                 "bandwidth true_bandwidth aggr_us since_change_s").split(),
    "runs": ("part workload monitor kind seconds kdamond_percent daemon_percent measured note").split(),
    "overhead": "part workload monitor kind round elapsed_ns cpu_ns".split(),
    "memory": "part workload monitor kind rss_kib used_kib".split(),
    "status": "part workload monitor kind json".split(),
    "simulated": "part workload monitor kind cpu_percent aggr_us percentiles".split(),
}
# Which file keeps the lines of a kind.
KINDS = {"reading": "readings", "warm-up": "readings", "run": "runs", "failed": "runs",
         "overhead": "overhead", "memory": "memory", "status": "status", "scale": "simulated"}


def load(results, name):
    path = results / f"{name}.tsv"
    if not path.exists():
        return []
    lines = path.read_text().splitlines()[2:]
    return [dict(zip(COLUMNS[name], line.split("\t"))) for line in lines]


def store(results, name, rows):
    columns = COLUMNS[name]
    lines = ["\t".join(row.get(column, "") for column in columns) for row in rows]
    (results / f"{name}.tsv").write_text("\n".join([f"# {SPDX}", "\t".join(columns), *lines]) + "\n")


def key(row):
    return row["part"], row["workload"], row["monitor"]


def parse(part, log):
    """Rows of each file, from the lines that start with EVAL."""
    found = {name: [] for name in COLUMNS}
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        mark, *words = line.split("\t")
        if mark != "EVAL" or words[0] not in KINDS:
            continue
        kind, workload, monitor, *values = words
        row = {"part": part, "workload": workload, "monitor": monitor, "kind": kind}
        name = KINDS[kind]
        if kind == "failed":
            row["note"] = " ".join(values)
        else:
            row.update(zip(COLUMNS[name][4:], values))
        found[name].append(row)
    return found


def merge(results, part, log, note):
    found = parse(part, log)
    if not any(found.values()):
        sys.exit(f"summary: {log} holds no results")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    for rows in found.values():
        for row in rows:
            row.setdefault("measured", now)
            row["note"] = "; ".join(filter(None, (row.get("note"), note)))
    new = {key(row) for rows in found.values() for row in rows}
    for name, rows in found.items():
        kept = [row for row in load(results, name) if key(row) not in new]
        if kept or rows:
            store(results, name, sorted(kept + rows, key=key))
