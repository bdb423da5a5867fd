"""Graphs of steps: ordering and walking. Knows no resource, no cloud, no database; keys are anything hashable."""
