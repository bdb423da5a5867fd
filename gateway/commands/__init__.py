"""Commands that need no server: each file is one command of `isotherm`."""
