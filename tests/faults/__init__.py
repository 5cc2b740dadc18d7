"""A cluster whose processes, hosts, network and disks fail: real processes, on hosts of our own.

A host is a network namespace on one bridge. Needs root, Debian's iproute2 and nftables.
"""
