"""Content keys, atomic files, locks, provenance and the download cache."""
