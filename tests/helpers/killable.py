"""Trainings in processes that can be killed, spared the seconds that importing takes.

A worker script imports what it trains with and calls `serve`; a test talks to it by a `Server`.
"""

import json
import math
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from nets.runs.run_log import RunLog

INTERRUPTED = 3
"""Exit status of a training that Ctrl-C ended."""


def serve(train):
    """Call `train(job)` in a forked child for every line of input, until the input ends.

    The answer to a job is the child's process id, then its exit status, which is what `train`
    returns.
    """
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status, job = 1, json.loads(line)
            wait_at(job.pop("wait_at", math.inf))
            try:
                status = train(job)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def wait_at(step):
    """Let this process, once it has logged `step`, wait for the signal that ends it."""
    write = RunLog.write

    def write_and_wait(log, at, *rows, **timed):
        write(log, at, *rows, **timed)
        if at >= step:
            signal.pause()

    RunLog.write = write_and_wait


class Server:
    """The test's side of the pipe to a worker script."""

    def __init__(self, worker):
        here, known = str(Path(__file__).parent), os.environ.get("PYTHONPATH")
        self.process = subprocess.Popen(
            [sys.executable, str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (here, known)))},
        )

    def run(self, folder, job):
        """Let a job end by itself; its exit status."""
        self._start(folder, job)
        return self._join()

    def run_until(self, step, folder, job, by=signal.SIGKILL, delay=0.0):
        """End a job by a signal `delay` seconds after it has logged `step`; its exit status.

        However late the signal comes, it finds the job at most a sixteenth of the way further.
        """
        total = job["run"]["steps"]
        child = self._start(folder, job | {"wait_at": min(step + total / 16, total)})
        deadline = time.monotonic() + 120
        try:
            while last_row(folder) < step:
                assert time.monotonic() < deadline
                time.sleep(0.0005)
            time.sleep(delay)
        finally:
            os.kill(child, by)
        return self._join()

    def kill_thrice(self, folder, job, rng):
        """Kill a job at three random moments, going on after each, then let it end.

        A moment is later than where the job can have come until the one before.
        """
        total = job["run"]["steps"]
        for part in range(3):
            moment = total * (part + rng.uniform(0.2, 0.9)) / 3.2
            status = self.run_until(moment, folder, job, delay=rng.uniform(0, 0.01))
            assert status == -signal.SIGKILL
            assert saved_steps(folder) < total
        assert self.run(folder, job) == 0

    def close(self):
        self.process.communicate()

    def _start(self, folder, job):
        """Begin a job; the id of its process."""
        print(json.dumps(job | {"folder": str(folder)}), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def _join(self):
        return int(self.process.stdout.readline())


def last_row(folder):
    """The step of the last whole row of metrics.csv; 0 while there is none."""
    file = folder / "metrics.csv"
    lines = file.read_text().splitlines(keepends=True)[1:] if file.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1].partition(",")[0]) if whole else 0


def saved_steps(folder):
    """The step of the last checkpoint to go on from; 0 while there is none."""
    files = sorted((folder / "checkpoints").glob("[0-9]*.pt"))
    return int(files[-1].stem) if files else 0
