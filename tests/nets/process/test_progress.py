import io

from nets.process.progress import progress_bar


def test_a_bar_begins_at_what_is_done(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    with progress_bar(40, 30) as bar:
        bar.update(10)
        assert (bar.n, bar.total) == (40, 40)
    assert "40.0/40.0" in screen.getvalue()
