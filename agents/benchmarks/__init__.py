"""What `scripts/benchmark.py` measures: speed beside the peers', quality beside references."""
