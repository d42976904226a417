"""What a Python process that begins with nothing imported makes of some code."""

import json
import subprocess
import sys

NURSERY = """
import json, os, sys
import gymnasium, torch
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        job = json.loads(line)
        os.chdir(job["folder"])
        sys.path.insert(0, "")
        with open(job["output"], "w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        status = 1
        try:
            exec(compile(job["code"], "<code>", "exec"), {"__name__": "__main__"})
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
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
    """

    def __init__(self, *modules):
        imports = "".join(f"import {module}\n" for module in modules)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", imports + NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def printed_by(self, code, folder):
        """What a process prints that begins in `folder`, errors too."""
        job = {"code": code, "folder": str(folder), "output": str(folder / "printed.txt")}
        print(json.dumps(job), file=self._process.stdin, flush=True)
        self._process.stdout.readline()
        return (folder / "printed.txt").read_text().strip()

    def close(self):
        self._process.communicate()
