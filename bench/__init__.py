"""The benchmarks. `python -m bench` prints one JSON object as its last line; see bench/README.md."""
