"""Config loading, findings, the result base, random numbers and units."""
