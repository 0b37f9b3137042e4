"""How long a coordinator takes to say how it is."""
import time

STATUS_CALLS = 300


def status_times(cluster):
    """Microseconds of each of many GetStatus calls."""
    times = []
    for _ in range(STATUS_CALLS):
        start = time.monotonic()
        cluster.get_status()
        times.append((time.monotonic() - start) * 1e6)
    return times
