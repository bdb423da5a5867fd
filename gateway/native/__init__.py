"""The OpenStack Orchestration API, version 1, as heat.md §1 measured it."""
