"""What a Python process that begins with nothing of ours imported makes of some code."""

import json
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

NURSERY = """
import atexit, json, os, sys, traceback
import gymnasium, torch
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        job = json.loads(line)
        os.chdir(job["folder"])
        sys.argv, sys.path[:1] = job["argv"], job["path"]
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            with open(job[name], "ab") as output:
                os.dup2(output.fileno(), number)
        status = 1
        try:
            exec(compile(job["code"], "<code>", "exec"), {"__name__": "__main__"})
            status = 0
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def printed_by(code, *arguments, cwd=None):
    """What a fresh process prints, without the white space around it; it must end well."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


class Nursery:
    """Processes that know torch and Gymnasium and nothing of ours, in a fiftieth of the time.

    Args:
        *modules: of others that they know, too.
        options: Python's own.
        **settings: of `subprocess.Popen`.
    """

    def __init__(self, *modules, options=("-W", "error"), **settings):
        imports = "".join(f"import {module}\n" for module in modules)
        self._process = subprocess.Popen(
            [sys.executable, *options, "-c", imports + NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **settings,
        )

    def run(self, code, folder, *, argv=("-c",), path=("",)):
        """Run code as a process that begins in `folder`; its end, and what it printed."""
        with self.running(code, folder, argv=argv, path=path) as (_, end):
            return end()

    @contextmanager
    def running(self, code, folder, *, argv=("-c",), path=("",)):
        """Begin to run code: the process's id, and what waits for its end and what it printed.

        Args:
            code: what it runs.
            folder: where it begins.
            argv: its arguments, the program first.
            path: what comes before all else in `sys.path`.
        """
        with TemporaryDirectory() as home:
            out, err = Path(home, "out"), Path(home, "err")
            job = {"code": code, "folder": str(folder), "out": str(out), "err": str(err)}
            job |= {"argv": argv, "path": path}
            print(json.dumps(job), file=self._process.stdin, flush=True)
            child = int(self._process.stdout.readline())

            @cache
            def status():
                return int(self._process.stdout.readline())

            def end():
                return subprocess.CompletedProcess(argv, status(), out.read_text(), err.read_text())

            try:
                yield child, end
            finally:
                status()

    def printed_by(self, code, folder):
        """What a process prints that begins in `folder`; it must end well."""
        result = self.run(code, folder)
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def close(self):
        self._process.communicate()
