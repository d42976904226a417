import os
import signal
import threading

import pytest

from nets.process.interrupts import uninterrupted


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    @uninterrupted()
    def work():
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):  # the interpreter looks at signals between instructions
            pass
        done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_errors_pass_through_and_the_handler_comes_back():
    with pytest.raises(ZeroDivisionError), uninterrupted():
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_do_as_without_it():
    seen = []

    def work():
        with uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
