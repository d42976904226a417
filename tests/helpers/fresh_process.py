"""What a Python process that begins with nothing imported makes of some code."""

import subprocess
import sys


def printed_by(code, *arguments, cwd=None):
    """What a fresh process prints, without the white space around it; it must end well."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
