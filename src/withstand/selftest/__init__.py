"""The self-test: the load engine against servers whose latencies are known, on this machine."""
