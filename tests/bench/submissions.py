"""Many jobs at once, and how long a coordinator takes to accept them."""
import time

from vigil.v1 import job_service_pb2

SUBMIT_PIECE = 10_000


def submit(cluster, jobs, task_type="", piece=SUBMIT_PIECE):
    """Submits that many jobs, of /bin/true by default; returns the seconds."""
    piece = min(jobs, piece)
    request = job_service_pb2.SubmitJobsRequest()
    for _ in range(piece):
        spec = request.jobs.add().spec
        if task_type:
            spec.task_type = task_type
        else:
            spec.command.argv.append("/bin/true")
    seconds = 0
    for _ in range(jobs // piece):
        start = time.monotonic()
        answer = cluster.jobs.SubmitJobs(request)
        seconds += time.monotonic() - start
        if not all(result.job_id for result in answer.results):
            raise AssertionError(answer)
    return seconds
