"""From the text of an expression to tokens, C and Python spellings made one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum, auto

from quarkline.engine.core.findings import InputError, Rule
from quarkline.events.expressions.nodes import Span
from quarkline.events.expressions.places import place_in

SYNTAX = Rule(
    "QL-EXPR-002",
    "an expression follows ROOT's grammar",
    "An expression combines columns, numbers and functions with the operators of C or Python: "
    "`&& || !` or `and or not`, `== != < > <= >=`, `+ - * / %`, `^` or `**` for powers, "
    "`a ? b : c`, and `x[i]` for an element. The marker shows where reading stopped.",
)
ASSIGNMENT = Rule(
    "QL-EXPR-004",
    "an expression assigns nothing",
    "`=` alone, `+=` and the like would change a value; expressions only compute one. "
    "Equality is `==`, at-least is `>=`, at-most is `<=`.",
)
TOO_BIG = Rule(
    "QL-EXPR-013",
    "an expression is short and shallow enough to be read",
    "Texts of more than 50,000 characters and trees of more than 120 levels are refused: such "
    "expressions come from a generator that has gone wrong. Chains such as `a || b || ...` are "
    "one level however long they are.",
)

MAX_LENGTH = 50_000
MAX_DEPTH = 120


class Kind(Enum):
    """What a token is."""

    NUMBER = auto()
    BOOLEAN = auto()
    TEXT = auto()
    NAME = auto()
    OPERATOR = auto()
    END = auto()


@dataclass(frozen=True)
class Token:
    """One token; `text` is the canonical spelling, `written` the user's."""

    kind: Kind
    text: str
    span: Span
    written: str = ""


WORDS = {"and": "&&", "or": "||", "not": "!", "**": "^", "->": "."}
BOOLEANS = {"true": "true", "True": "true", "false": "false", "False": "false"}

_NAME = r"[^\W\d]\w*(?:::[^\W\d]\w*)*(?:\.[^\W\d]\w*)*\$?"
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>{_NAME})"
    r"""|(?P<text>"[^"]*"|'[^']*')"""
    r"|(?P<assignment>(?:[-+*/%&|^:]|<<|>>|\*\*)=|=(?!=)>?<?)"
    r"|(?P<operator>->|&&|\|\||==|!=|<=|>=|<<|>>|\*\*|[-+*/%^&|!<>?:()\[\],@.])"
)

_HINTS = {
    "~": "write `!x` for not",
    '"': "the text has no closing quote",
    "'": "the text has no closing quote",
    ";": "write one expression, without `;`",
}


def tokenise(text: str) -> list[Token]:
    """Split an expression into tokens, ending with one of kind END.

    Raises:
        InputError: On characters that belong to no token, assignments, or a text too long.
    """
    if len(text) > MAX_LENGTH:
        message = f"the expression has {len(text)} characters, more than {MAX_LENGTH}"
        raise InputError(TOO_BIG.finding(message, suggestion="split it into several"))
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unexpected(text, position)
        position = match.end()
        if match.lastgroup != "space":
            tokens.append(_token(text, match))
    tokens.append(Token(Kind.END, "", (len(text), len(text))))
    return tokens


def _token(text: str, match: re.Match[str]) -> Token:
    written, span = match.group(), match.span()
    match match.lastgroup:
        case "number":
            return Token(Kind.NUMBER, _number(text, written, span), span, written)
        case "text":
            return Token(Kind.TEXT, written[1:-1], span, written)
        case "assignment":
            raise _assignment(text, written, span)
        case _:
            canonical = WORDS.get(written, written)
            if canonical in BOOLEANS:
                return Token(Kind.BOOLEAN, BOOLEANS[written], span, written)
            named = match.lastgroup == "name" and canonical == written
            return Token(Kind.NAME if named else Kind.OPERATOR, canonical, span, written)


def _number(text: str, written: str, span: Span) -> str:
    """The number in Python's shortest form.

    Raises:
        InputError: If it runs into further letters or digits, or is no finite double.
    """
    rest = re.compile(r"[\w.]+").match(text, span[1])
    if rest:
        whole = (span[0], rest.end())
        message = f"`{text[slice(*whole)]}` is neither a number nor a name"
        raise InputError(
            SYNTAX.finding(
                message,
                place=place_in(text, whole),
                suggestion="names do not begin with a digit; a product needs `*`",
            )
        )
    value = float(int(written, 16)) if written[:2] in {"0x", "0X"} else float(written)
    if math.isinf(value):
        message = f"`{written}` is larger than any double"
        raise InputError(SYNTAX.finding(message, place=place_in(text, span)))
    return repr(value)


def _assignment(text: str, written: str, span: Span) -> InputError:
    meant = {"=": "==", "=>": ">=", "=<": "<="}.get(written)
    hint = f"did you mean `{meant}`?" if meant else "write the value itself"
    message = f"`{written}` is not an operator of expressions"
    return InputError(ASSIGNMENT.finding(message, place=place_in(text, span), suggestion=hint))


def _unexpected(text: str, position: int) -> InputError:
    character = text[position]
    message = f"`{character}` has no meaning in an expression"
    place = place_in(text, (position, position + 1))
    return InputError(SYNTAX.finding(message, place=place, suggestion=_HINTS.get(character)))
