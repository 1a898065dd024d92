"""What a user of `submitit` does, against whatever `sbatch` is on the path."""

import os
import signal
import sys
import time
from pathlib import Path

import submitit


def add(a, b):
    print("adding", flush=True)
    return a + b


def fail():
    raise ValueError("on purpose")


class Resumes:
    """Is interrupted once, and goes on from what it had then."""

    def __init__(self):
        self.done = 0

    def __call__(self, wanted):
        while self.done < wanted:
            self.done += 1
            if self.done == 2:
                os.kill(os.getpid(), signal.SIGUSR2)
                time.sleep(600)
        return self.done, int(os.environ.get("SLURM_RESTART_COUNT", 0))

    def checkpoint(self, wanted):
        return submitit.helpers.DelayedSubmission(self, wanted)


def until(job, state):
    for _ in range(120):
        if job.watcher.get_state(job.job_id, mode="force") == state:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{job.job_id} is {job.watcher.get_state(job.job_id, mode='force')}, not {state}")


def main(folder):
    executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
    executor.update_parameters(timeout_min=5, cpus_per_task=1, mem_gb=0.125, name="sweep")

    job = executor.submit(add, 5, 7)
    assert job.result() == 12
    assert "adding" in job.stdout(), job.stdout()
    until(job, "COMPLETED")
    print("one", flush=True)

    jobs = executor.map_array(add, [1, 2, 3], [10, 20, 30])
    assert [job.result() for job in jobs] == [11, 22, 33]
    assert "adding" in jobs[1].stdout(), jobs[1].stdout()
    print("array", flush=True)

    failing = executor.submit(fail)
    try:
        failing.result()
    except submitit.core.utils.FailedJobError as error:
        assert "on purpose" in str(error), error
    else:
        raise AssertionError("a failure was not reported")
    print("failure", flush=True)

    sleeping = executor.submit(time.sleep, 600)
    until(sleeping, "RUNNING")
    sleeping.cancel()
    until(sleeping, "CANCELLED")
    print("cancelled", flush=True)

    executor.update_parameters(slurm_additional_parameters={"requeue": True})
    resumed = executor.submit(Resumes(), 5)
    assert resumed.result() == (5, 1), resumed.result()
    print("resumed", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
