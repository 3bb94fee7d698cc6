"""Pickled arrays of events, read without unpickling: nothing in the file is imported or called."""

from quarkline.events.pickles.arrays import read_pickle

__all__ = ["read_pickle"]
