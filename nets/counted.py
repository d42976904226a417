"""Counts as messages say them."""


def counted(count: int, noun: str) -> str:
    """Return a count and its noun: "1 run", "2 runs", "1,000 runs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
