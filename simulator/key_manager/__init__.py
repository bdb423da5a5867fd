"""Barbican."""
