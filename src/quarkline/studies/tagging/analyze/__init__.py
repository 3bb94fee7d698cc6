"""Which epoch of a training is taken, and what it is worth on jets that chose nothing."""
