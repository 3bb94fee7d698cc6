"""Batch systems: items as job arrays of Slurm and HTCondor, whose state is kept in files."""
