"""How long jobs stood still whose worker was killed, stopped or cut off.

Pure; told by the store's own instants.
"""
import collections
import statistics

from cluster import Reason, State


def seconds(timestamp):
    """A protobuf timestamp as seconds since the epoch."""
    return timestamp.seconds + timestamp.nanos * 1e-9


def gaps(hurt, jobs):
    """Of each attempt that was lost with its worker, to which one thing had
    happened meanwhile: what, whether the next attempt ran elsewhere, and the
    seconds from that to its start. `hurt`: worker id, what, time."""
    for job in jobs:
        for attempt, after in zip(job.attempts, list(job.attempts)[1:]):
            if (attempt.failure.reason != Reason.REASON_WORKER_LOST
                    or not after.HasField("start_time")):
                continue
            begin, until = seconds(attempt.assign_time), seconds(
                after.start_time)
            causes = [(time, what) for worker, what, time in hurt
                      if worker == attempt.worker_id and begin <= time < until]
            if len(causes) == 1:  # With two nobody knows which it was.
                time, what = causes[0]
                yield (what, after.worker_id != attempt.worker_id,
                       until - time)


def report(hurt, jobs):
    """Prints outcomes, how attempts ended, and the gaps."""
    outcomes = collections.Counter(
        State.State.Name(job.state).removeprefix("STATE_") for job in jobs)
    print(f"{len(jobs)} jobs: " + ", ".join(
        f"{count} {outcome}" for outcome, count in outcomes.most_common()))
    ends = collections.Counter(
        Reason.Reason.Name(attempt.failure.reason).removeprefix("REASON_")
        for job in jobs for attempt in job.attempts
        if attempt.HasField("failure"))
    print(f"{sum(len(job.attempts) for job in jobs)} attempts, of which "
          "failed: " + ", ".join(
              f"{count} {reason}" for reason, count in ends.most_common()))
    by_cause = collections.defaultdict(list)
    for what, elsewhere, gap in gaps(hurt, jobs):
        by_cause[what, elsewhere].append(gap)
    print(f"{'seconds from a fault to the next attempt':<44} {'jobs':>6} "
          f"{'median':>7} {'max':>7}")
    for (what, elsewhere), values in sorted(by_cause.items()):
        place = "elsewhere" if elsewhere else "same worker"
        print(f"{what + ', ' + place:<44} {len(values):>6} "
              f"{statistics.median(values):>7.2f} {max(values):>7.2f}")
