"""Expressions over columns: ROOT's selection language, in C's or Python's spelling."""

from quarkline.events.expressions.compiled import Expression, compile_expression
from quarkline.events.expressions.frame import Frame
from quarkline.events.expressions.functions import ResultKind
from quarkline.events.expressions.parser import parse

__all__ = ["Expression", "Frame", "ResultKind", "compile_expression", "parse"]
