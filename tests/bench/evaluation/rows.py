# SPDX-License-Identifier: GPL-2.0-or-later
"""The evaluation's results as files: tables of the lines that the guests print.

One row per line, replaced when the same workload and monitor are measured again on the same kernel.
Everything else is computed from them by summary.py.
"""
import datetime
import pathlib
import sys

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
# What a row of the evaluation's guests starts with. `seed` is empty where the sample was drawn once, at random.
FIRST = "part workload monitor kernel seed kind "
COLUMNS = {
    "readings": (FIRST + "t_s "
                 "under_1s true_low_1s true_high_1s error_1s "
                 "under_6s true_low_6s true_high_6s error_6s "
                 "under_60s true_low_60s true_high_60s error_60s untouched_index idle_ratio "
                 "bandwidth true_bandwidth aggr_us since_change_s "
                 "told_1s standard_error_1s told_6s standard_error_6s told_60s standard_error_60s").split(),
    "runs": (FIRST + "seconds kdamond_percent daemon_percent measured note").split(),
    "overhead": "part workload monitor kind round elapsed_ns cpu_ns".split(),
    "memory": "part workload monitor kind rss_kib used_kib".split(),
    "status": (FIRST + "json").split(),
    "simulated": "part workload monitor kind cpu_percent aggr_us percentiles".split(),
}
# Which file keeps the lines of a kind.
KINDS = {"reading": "readings", "warm-up": "readings", "run": "runs", "failed": "runs",
         "overhead": "overhead", "memory": "memory", "status": "status", "scale": "simulated"}


# The kernel of rows that name none: of files from before there was a choice, and of the other tables.
ONLY_KERNEL = "idle"


def load(results, name):
    path = results / f"{name}.tsv"
    if not path.exists():
        return []
    _, head, *lines = path.read_text().splitlines()
    columns = head.split("\t")
    return [{"kernel": ONLY_KERNEL, "seed": ""} | dict(zip(columns, line.split("\t"))) for line in lines]


def store(results, name, rows):
    columns = COLUMNS[name]
    lines = ["\t".join(row.get(column, "") for column in columns) for row in rows]
    (results / f"{name}.tsv").write_text("\n".join([f"# {SPDX}", "\t".join(columns), *lines]) + "\n")


def key(row):
    return row["part"], row["workload"], row["monitor"], row["kernel"]


def parse(part, log, kernel):
    """Rows of each file, from the lines that start with EVAL. A monitor is NAME or NAME#SEED."""
    found = {name: [] for name in COLUMNS}
    for line in pathlib.Path(log).read_text(errors="replace").splitlines():
        mark, *words = line.split("\t")
        if mark != "EVAL" or words[0] not in KINDS:
            continue
        kind, workload, monitor, *values = words
        name = KINDS[kind]
        monitor, _, seed = monitor.partition("#")
        row = {"part": part, "workload": workload, "monitor": monitor, "seed": seed, "kind": kind,
               "kernel": kernel if "kernel" in COLUMNS[name] else ONLY_KERNEL}
        if kind == "failed":
            row["note"] = " ".join(values)
        else:
            row.update(zip(COLUMNS[name][COLUMNS[name].index("kind") + 1:], values))
        found[name].append(row)
    return found


def merge(results, part, log, kernel, note):
    found = parse(part, log, kernel)
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
