"""Deciding: what a template means for a stack as it is. Pure: reads rows, changes nothing, calls no cloud."""
