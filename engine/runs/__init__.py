"""Doing: runs of plans, one at a time per stack, owned by one engine under a lease, resumable after any crash."""
