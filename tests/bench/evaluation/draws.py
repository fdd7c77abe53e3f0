# SPDX-License-Identifier: GPL-2.0-or-later
"""How good a random sample's shares are, over several draws of it.

The shares judged are those that the status tells, which are exact where percentiles are known to half a
point; whether a reading is as near as it should be goes by the standard error that the status told with it.
"""
import math
import statistics

LIMITS = ("1s", "6s", "60s")
# The truth is kept to so many points.
ROUNDING_POINTS = 0.01


def distance(share, low, high):
    return max(low - share, share - high, 0)


def told_errors(rows, limit):
    """Of each reading that told the share below the limit: its error, and the standard error told."""
    found = []
    for row in rows:
        share = float(row.get(f"told_{limit}") or "nan")
        # As long as monitoring is younger than the limit, everything is idle for less, and nothing is shown.
        if math.isnan(share) or float(row["t_s"]) <= float(limit[:-1]) + 1:
            continue
        error = distance(share, float(row[f"true_low_{limit}"]), float(row[f"true_high_{limit}"]))
        found.append((error, float(row[f"standard_error_{limit}"])))
    return found


def of_limit(draws, limit):
    """Median of the draws' median errors, that of the worst draw, and the percentage of readings within
    twice their standard error. None if no draw tells."""
    by_draw = [found for found in (told_errors(rows, limit) for rows in draws) if found]
    if not by_draw:
        return None
    medians = [statistics.median(error for error, _ in found) for found in by_draw]
    readings = [pair for found in by_draw for pair in found if not math.isnan(pair[1])]
    near = sum(1 for error, standard in readings if error <= 2 * standard + ROUNDING_POINTS)
    return statistics.median(medians), max(medians), 100 * near / len(readings) if readings else None


def draws_of(rows):
    """The judged readings of one workload and monitor as a list per draw."""
    by_seed = {}
    for row in rows:
        if row["kind"] == "reading" and row["seed"]:
            by_seed.setdefault(row["seed"], []).append(row)
    return list(by_seed.values())


def draws_rows(groups):
    """Cells of a table: a row per (workload, monitor, readings) that was drawn more than once."""
    table = []
    for workload, monitor, rows in groups:
        draws = draws_of(rows)
        found = [of_limit(draws, limit) for limit in LIMITS]
        if len(draws) < 2 or not any(found):
            continue
        cells = [workload, monitor, str(len(draws)), str(sum(map(len, draws)))]
        for values in found:
            median, worst, near = values or (None, None, None)
            cells += ["" if median is None else f"{median:.2f}", "" if worst is None else f"{worst:.2f}",
                      "" if near is None else f"{near:.0f}"]
        table.append(cells)
    return table


HEAD = ["workload", "monitor", "draws", "readings"]
HEAD += [f"{what} <{limit}" for limit in LIMITS
         for what in ("median error", "worst draw's median", "% within 2 standard errors")]
