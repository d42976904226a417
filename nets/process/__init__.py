"""The process that trains: seeds, devices, several processes, signals, progress."""
