"""The table that the benchmarks print: medians, ranges and 99th percentiles."""
import os
import statistics


def row(name, values, unit, digits=0, goal=None):
    """Prints the median, the range and the 99th percentile of values.

    A goal is what the 99th percentile should not exceed.
    """
    values = sorted(values)
    cells = [statistics.median(values), values[0], values[-1]]
    p99 = ""
    if len(values) >= 100:
        p99 = f"{values[len(values) * 99 // 100]:.{digits}f}"
    met = ""
    if goal is not None:
        kept = values[len(values) * 99 // 100] <= goal
        met = f", p99 wanted: {goal}, {'met' if kept else 'MISSED'}"
    texts = [f"{cell:.{digits}f}" for cell in cells]
    print(f"{name:<47} {texts[0]:>9} {texts[1]:>9} {texts[2]:>9} {p99:>9}"
          f"  {unit}{met}", flush=True)


def header():
    """Prints the head of the table."""
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.2f}"
          f"{' (busy: figures will be poor)' if load > 1 else ''}")
    print(f"{'':<47} {'median':>9} {'min':>9} {'max':>9} {'p99':>9}")
