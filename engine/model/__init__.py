"""The common model: plain frozen values that every room shares.

Promise of this package: no I/O, no clock, no knowledge of a template dialect, of HTTP or of a database.
"""
