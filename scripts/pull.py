"""Bring a shared run here: `python scripts/pull.py REPO`, or `--help`."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command listens
    # this checkout's packages come first, whatever else is installed under their names
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from nets.shell.pull import main

    sys.exit(main())
