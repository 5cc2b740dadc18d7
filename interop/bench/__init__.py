"""The same work done by this server and by a peer, side by side in one run, told as ratios.

A row is a module (`ingest`) that gives workloads; a workload drives one server with a client of its own
process and returns figures by name. Nothing here judges: no figure is asserted.
"""
