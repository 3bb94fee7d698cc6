"""The TRExFitter language: parse, check and translate to `catalog` and `templates`."""

from quarkline.trexfitter.blocks import Block, Option, TrexConfig
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.translate import read_config, translate

__all__ = ["Block", "Option", "TrexConfig", "read_config", "read_trexfitter", "translate"]
