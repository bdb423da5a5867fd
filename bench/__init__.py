"""`make bench`: figures of throughput, latency, start and memory, printed as a table with what they are to reach."""
