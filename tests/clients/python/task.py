"""What both kinds of Python client say and ask for."""
from vigil.v1 import job_pb2, job_service_pb2

# For one call; each takes a fraction of a second.
TIMEOUT = 30.0
# Calls until the coordinator must have been full, and have had room again.
CALLS_MAX = 40


def say(line):
    """Tells the driver."""
    print(line, flush=True)


def expect(got, wanted):
    """Fails unless both are equal."""
    if got != wanted:
        raise AssertionError(f"{got!r}, not {wanted!r}")


def task(*arguments, **fields):
    """A SubmitJobRequest for the driver's task."""
    return job_service_pb2.SubmitJobRequest(
        spec=job_pb2.JobSpec(task_type="task", arguments=arguments), **fields)
