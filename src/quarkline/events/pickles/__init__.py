"""Pickled arrays of events, read without unpickling: nothing in the file is imported or called."""

from quarkline.events.pickles.arrays import read_pickle
from quarkline.events.pickles.tables import read_table_pickle

__all__ = ["read_pickle", "read_table_pickle"]
