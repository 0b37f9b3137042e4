"""A warm task written with vigil_task, which a stop finds wherever it is.

The input is JSON: {"steps": N, "pause": SECONDS} and, optionally, `die_at`: the
step at which its first attempt is killed, `cleanup`: seconds that it takes to
stop. Each step is progress, a token and a checkpoint; a stopped job hands in
what it has.
"""
import os
import signal
import time

import vigil_task


def run(job):
    settings = job.json()
    begin = int(job.resume_from or b"0")
    done = begin
    try:
        for step in range(begin, settings["steps"]):
            if job.attempt == 1 and step == settings.get("die_at"):
                os.kill(os.getpid(), signal.SIGKILL)
            done = step + 1
            job.token(f"step {done}\n")
            job.checkpoint(str(done))
            job.progress(done, settings["steps"], "calibrating")
            time.sleep(settings["pause"])
    except vigil_task.Cancelled as stop:
        time.sleep(settings.get("cleanup", 0))
        return f"{done} steps when {stop.cause}"
    return {"from": begin, "to": done, "pid": os.getpid()}


vigil_task.serve(run)
