"""A toy of leptoquark ntuples: two same-sign leptons and a tau, five processes and data.

Shapes and yields come from short parametrisations, not from a generator and a detector. They are
close enough to exercise every step of an analysis, and mean nothing as physics.
"""
