"""The command line: parsing, refusals, the `dreamgym` dispatcher."""
