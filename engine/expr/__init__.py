"""Evaluating the common expressions. Pure: the scope answers for everything outside; only `Invalid` is raised."""
