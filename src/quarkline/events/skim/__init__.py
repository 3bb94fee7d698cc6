"""Skims: files of events cut and thinned, range by range, into files of the same layout."""
