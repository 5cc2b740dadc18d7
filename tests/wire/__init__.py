"""A running server and raw clients to talk to it.

What is here knows nothing of the server's inside: it starts a process, connects and reads octets. The crash
test, the programs under `interop/` and the benchmarks stand on it.
"""
