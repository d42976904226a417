"""Bars where nobody looks on."""

import io
import sys

import pytest

from nets.process.progress import progress_bar


class Deaf:
    """A stream that cannot say what it is."""

    def write(self, text):
        pass

    def flush(self):
        pass


@pytest.mark.parametrize("stream", [None, Deaf(), io.StringIO()], ids=["none", "deaf", "file"])
def test_training_goes_on_whatever_standard_error_is(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # of other tests
    with progress_bar(3) as bar:
        bar.update(3)
    assert bar.total == 3


def test_a_notebook_has_a_bar_of_its_own_and_no_words_about_widgets(monkeypatch, recwarn):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    with progress_bar(3) as bar:
        assert bar.mininterval < 1  # somebody looks on
        assert type(bar).__module__ != "tqdm.std"
    assert not recwarn.list
