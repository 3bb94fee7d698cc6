"""Arrays and histograms in, result values out: hunts, fits, toys; no files, no torch."""
