"""Random input against the safety engine. `make fuzz` runs it for FUZZ_SECONDS (60)."""
