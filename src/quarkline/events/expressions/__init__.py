"""Expressions over columns: ROOT's selection language, in C's or Python's spelling."""

from quarkline.events.expressions.batch import Batch, Entries
from quarkline.events.expressions.compiled import Expression, compile_expression
from quarkline.events.expressions.kinds import ResultKind
from quarkline.events.expressions.parser import parse

__all__ = ["Batch", "Entries", "Expression", "ResultKind", "compile_expression", "parse"]
