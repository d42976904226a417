import os
import signal
import sys
import threading

import pytest

from nets.process import interrupts
from nets.process.interrupts import interruptible, noted, uninterrupted


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_a_process_interrupts_it_and_tells_by_what(number):
    with interruptible() as came:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)  # disturbs nothing any more
    assert came == [number, signal.SIGTERM]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_ignored_signals_stay_ignored_and_foreign_handlers_in_place():
    heard = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    other = signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        with interruptible() as came:
            for number in (signal.SIGHUP, signal.SIGTERM):
                os.kill(os.getpid(), number)
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, other)
    assert (came, heard) == ([], [True])


def test_what_interrupts_waits_for_the_end_of_the_block_too():
    done = []

    @uninterrupted()
    def work():
        os.kill(os.getpid(), signal.SIGTERM)
        done.append(len(came))

    with interruptible() as came, pytest.raises(KeyboardInterrupt):
        work()
    assert (done, came) == ([0], [signal.SIGTERM])


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_noted_until_somebody_insists(number):
    with interruptible() as came, noted() as asked:
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert (len(asked), came) == (2, [])
        with pytest.raises(KeyboardInterrupt):
            asked[0]()
        assert came == [number]
    with noted() as asked:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


def test_one_ctrl_c_more_is_the_same_and_a_late_one_ends_the_process(monkeypatch):
    clock, ended = [0.0], []
    monkeypatch.setattr(interrupts, "monotonic", lambda: clock[0])
    monkeypatch.setattr(interrupts.os, "_exit", ended.append)
    with interruptible() as came:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        for _ in range(3):  # a key that is held down
            signal.raise_signal(signal.SIGINT)
        assert (len(came), ended) == (4, [])
        clock[0] = 10.0
        signal.raise_signal(signal.SIGTERM)  # schedulers repeat themselves
        assert ended == []
        signal.raise_signal(signal.SIGINT)
        assert ended == [128 + signal.SIGINT]


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_end_of_a_process_is_silent(interrupted):
    before = signal.getsignal(signal.SIGINT)
    try:
        with interruptible(last=True):
            if interrupted:
                with pytest.raises(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
        left = signal.getsignal(signal.SIGINT)
    finally:
        for number in interrupts.ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, before)
    assert left == (signal.SIG_IGN if interrupted else signal.SIG_DFL)
