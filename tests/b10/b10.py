"""Reproduces the incident of row B10, and holds its figures to their bounds.

Usage: b10.py [--jobs=20000]
Exit status 0 if all bounds are kept and nothing crashed. Exhaustion, its cure
and malformed items are injected: the figures are those of this workload.
"""
import argparse
import sys

import reproduction

JOBS = 20_000
JOBS_MAX = 1_000_000  # Of which ListJobs and this program hold all.


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0],
        epilog=reproduction.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=JOBS,
                        help=f"how many (default {JOBS})")
    options = parser.parse_args()
    if not 1 <= options.jobs <= JOBS_MAX:
        parser.error(f"--jobs: from 1 to {JOBS_MAX}")
    report = reproduction.reproduce(options.jobs)
    print(report)
    return 0 if report.good() else 1


if __name__ == "__main__":
    sys.exit(main())
