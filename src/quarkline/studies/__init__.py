"""Compositions of the floors below into whole analyses; none imports another."""
