"""What the tests of resuming share: whole runs to compare with, and runs that get more steps."""

import signal

from killable import saved_steps
from leftovers import check_equal, result


def whole_runs(server, tmp_path_factory):
    """The result of a run that nothing interrupts, by name and job; each is made once."""
    made = {}

    def run(name, job):
        if name not in made:
            folder = tmp_path_factory.mktemp("whole")
            assert server.run(folder, job) == 0
            assert saved_steps(folder) >= job["run"]["steps"]
            made[name] = result(folder)
        return made[name]

    return run


def check_longer_run(server, folder, job, steps, kill_at):
    """Give a finished run more `steps`: killed at one of them or not, it is the same run.

    Returns the step of its last checkpoint.
    """
    longer = job | {"run": job["run"] | {"steps": steps}}
    whole, killed = folder / "whole", folder / "killed"
    for each in (whole, killed):
        assert server.run(each, job) == 0
    assert server.run_until(kill_at, killed, longer) == -signal.SIGKILL
    for each in (whole, killed):
        assert server.run(each, longer) == 0
    check_equal(killed, result(whole))
    return saved_steps(killed)
