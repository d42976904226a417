"""How the command `dreamgym` begins: Ctrl-C ends it silently until it listens by itself."""

import signal


def main() -> int:
    """Run what the shell's arguments say; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .main import main as dispatch

    return dispatch()
