"""From tokens to the tree: a Pratt parser whose binding powers come from a grammar."""

from __future__ import annotations

import dataclasses

from quarkline.engine.core.findings import InputError, Rule
from quarkline.events.expressions import nodes
from quarkline.events.expressions.grammar import (
    CHAINS,
    COMPARISONS,
    CONDITIONAL,
    ROOT,
    Grammar,
    Power,
)
from quarkline.events.expressions.lexer import (
    MAX_DEPTH,
    SYNTAX,
    TOO_BIG,
    Kind,
    Token,
    tokenise,
)
from quarkline.events.expressions.nodes import Node, Span
from quarkline.events.expressions.places import place_in

EMPTY = Rule(
    "QL-EXPR-014",
    "an expression is not empty",
    "There is nothing to compute. Leave the option or key out to select everything.",
)
CHAINED = Rule(
    "QL-EXPR-003",
    "comparisons do not chain",
    "In ROOT `1 < x < 3` compares the truth value of `1 < x` with 3, and `a < b == c` is "
    "`a < (b == c)`; in C and Python the same texts mean two other things. Join two comparisons "
    "with `&&`, or say with brackets which comes first.",
)

CASTS = frozenset(
    {"bool", "char", "short", "int", "long", "float", "double", "unsigned"}
    | {f"{name}_t" for name in ("Bool", "Char", "Short", "Int", "Long64", "Float", "Double")}
    | {f"{name}_t" for name in ("UChar", "UShort", "UInt", "ULong64")}
)

_HINTS = {
    "if": "write `condition ? yes : no`",
    "else": "write `condition ? yes : no`",
    "in": "write `x == 1 || x == 2`",
    "is": "write `==`",
    ":": "one expression is drawn at a time; `a ? b : c` needs its `?`",
    "/": "there is no whole-number division: `int(a / b)`",
}


def parse(text: str) -> Node:
    """Parse an expression, in C's or Python's spelling, by ROOT's rules.

    Args:
        text: The expression. Line breaks count as spaces.

    Returns:
        The tree. `str(tree)` is its canonical text; parsing that gives an equal tree.

    Raises:
        InputError: If the text is empty, no expression, chains comparisons, assigns, or is too
            long or deep. The finding points at the characters.
    """
    return parse_with(text, ROOT)


def parse_with(text: str, grammar: Grammar) -> Node:
    """Parse an expression by another grammar's binding powers."""
    if not text.strip():
        raise InputError(EMPTY.finding("the expression is empty"))
    tree = _Parser(text, grammar).whole()
    if nodes.depth(tree) > MAX_DEPTH:
        raise _too_deep(text, tree.span)
    return tree


def _too_deep(text: str, span: Span) -> InputError:
    return InputError(
        TOO_BIG.finding(
            f"the expression is nested more than {MAX_DEPTH} levels deep",
            place=place_in(text, span),
            suggestion="compute a part of it as a column of its own",
        )
    )


class _Parser:
    """Reads one list of tokens; each method returns the node it has read."""

    def __init__(self, text: str, grammar: Grammar) -> None:
        self.text, self.grammar = text, grammar
        self.tokens = tokenise(text)
        self.position = 0
        self.level = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def at(self, operator: str) -> bool:
        return self.token.kind is Kind.OPERATOR and self.token.text == operator

    def accept(self, operator: str) -> bool:
        found = self.at(operator)
        self.position += found
        return found

    def whole(self) -> Node:
        tree = self.expression(0)
        if self.token.kind is not Kind.END:
            raise self.unexpected("after the end of the expression")
        return tree

    def expression(self, binding: int) -> Node:
        """Read operands joined by operators that bind at least as tight as `binding`."""
        self.level += 1
        if self.level > MAX_DEPTH:
            raise _too_deep(self.text, self.token.span)
        left = self.prefix(binding)
        compared = False
        while (power := self.infix_power()) and power.left >= binding:
            operator = self.take().text
            if operator == "?":
                left = self.conditional(left)
            elif operator in CHAINS:
                left = self.chain(left, operator, power.right)
            else:
                right = self.expression(power.right)
                if compared and operator in COMPARISONS:
                    left = self.compared_again(left, operator, right)
                else:
                    left = nodes.Binary(operator, left, right, span=_over(left, right))
            compared = operator in COMPARISONS
        self.level -= 1
        return left

    def infix_power(self) -> Power | None:
        token = self.token
        return self.grammar.infix.get(token.text) if token.kind is Kind.OPERATOR else None

    def chain(self, first: Node, operator: str, binding: int) -> Node:
        operands = [first, self.expression(binding)]
        while self.accept(operator):
            operands.append(self.expression(binding))
        return nodes.Chain(operator, tuple(operands), span=_over(first, operands[-1]))

    def conditional(self, condition: Node) -> Node:
        yes = self.expression(0)
        self.expect(":", "to separate the two values of `?`")
        no = self.expression(CONDITIONAL.right)
        return nodes.Conditional(condition, yes, no, span=_over(condition, no))

    def prefix(self, binding: int) -> Node:
        token = self.token
        if token.kind is not Kind.OPERATOR or token.text not in {"-", "+", "!"}:
            return self.postfix(self.operand())
        self.take()
        if token.text == "!":
            word = token.written == "not"
            own = self.grammar.word_negation if word else self.grammar.negation
        else:
            own = self.grammar.minus
        operand = self.expression(max(binding, own))
        if token.text == "+":
            return operand
        return nodes.Unary(token.text, operand, span=(token.span[0], operand.span[1]))

    def operand(self) -> Node:
        token = self.take()
        match token.kind, token.text:
            case Kind.NUMBER, _:
                return nodes.Number(float(token.text), span=token.span)
            case Kind.BOOLEAN, _:
                return nodes.Boolean(token.text == "true", span=token.span)
            case Kind.TEXT, _:
                return nodes.Text(token.text, span=token.span)
            case Kind.NAME, _:
                return self.named(token)
            case Kind.OPERATOR, "(":
                return self.bracketed(token)
            case Kind.OPERATOR, "@":
                return self.container(token)
        self.position -= 1
        raise self.unexpected("where a value should stand")

    def named(self, token: Token) -> Node:
        if not self.at("("):
            return nodes.Name(token.text, span=token.span)
        arguments = self.arguments()
        span = (token.span[0], self.tokens[self.position - 1].span[1])
        base, dot, method = token.text.rpartition(".")
        if dot:
            owner = nodes.Name(base, span=(token.span[0], token.span[0] + len(base)))
            return nodes.Method(owner, method, arguments, span=span)
        return nodes.Call(token.text, arguments, span=span)

    def container(self, at: Token) -> Node:
        """`@x`, where the last part of `@x.size()` is a method of the whole `@x`."""
        name = self.take()
        if name.kind is not Kind.NAME:
            self.position -= 1
            raise self.unexpected("after `@`, which needs the name of a collection")
        base, dot, method = name.text.rpartition(".")
        called = bool(dot) and self.at("(")
        end = name.span[0] + len(base) if called else name.span[1]
        whole = nodes.Name(base if called else name.text, span=(name.span[0], end))
        container = nodes.Container(whole, span=(at.span[0], end))
        return self.method(container, method) if called else container

    def bracketed(self, opening: Token) -> Node:
        if self.token.text in CASTS and self.tokens[self.position + 1].text == ")":
            cast = self.take().text
            self.take()
            operand = self.prefix(self.grammar.negation)
            return nodes.Cast(cast, operand, span=(opening.span[0], operand.span[1]))
        inner = self.expression(0)
        self.expect(")", "to close the bracket", opened=opening)
        span = (opening.span[0], self.tokens[self.position - 1].span[1])
        return dataclasses.replace(inner, span=span)

    def postfix(self, node: Node) -> Node:
        while True:
            if self.at("["):
                node = self.indexed(node)
            elif self.accept("."):
                node = self.member(node)
            elif self.at("@") and isinstance(node, nodes.Name | nodes.Index):
                node = nodes.Container(node, span=(node.span[0], self.take().span[1]))
            else:
                return node

    def indexed(self, base: Node) -> Node:
        indices: list[Node | None] = []
        while self.at("["):
            opening = self.take()
            indices.append(None if self.at("]") else self.expression(0))
            self.expect("]", "to close the index", opened=opening)
        span = (base.span[0], self.tokens[self.position - 1].span[1])
        return nodes.Index(base, tuple(indices), span=span)

    def member(self, base: Node) -> Node:
        token = self.take()
        if token.kind is not Kind.NAME:
            self.position -= 1
            raise self.unexpected("after `.`, which needs the name of a member")
        *path, last = token.text.split(".")
        end = token.span[0]
        for name in path:
            base = nodes.Member(base, name, span=(base.span[0], end + len(name)))
            end += len(name) + 1
        if self.at("("):
            return self.method(base, last)
        return nodes.Member(base, last, span=(base.span[0], token.span[1]))

    def method(self, base: Node, name: str) -> Node:
        arguments = self.arguments()
        span = (base.span[0], self.tokens[self.position - 1].span[1])
        return nodes.Method(base, name, arguments, span=span)

    def arguments(self) -> tuple[Node, ...]:
        opening = self.take()
        if self.accept(")"):
            return ()
        found = [self.expression(0)]
        while self.accept(","):
            found.append(self.expression(0))
        self.expect(")", "to close the arguments", opened=opening)
        return tuple(found)

    def expect(self, operator: str, purpose: str, *, opened: Token | None = None) -> None:
        if self.accept(operator):
            return
        if self.token.kind is Kind.END and opened:
            message = f"`{opened.text}` is never closed"
            place = place_in(self.text, opened.span)
            hint = f"add the missing `{operator}`"
            raise InputError(SYNTAX.finding(message, place=place, suggestion=hint))
        where = f"where `{operator}` should stand {purpose}"
        raise self.unexpected(where)

    def unexpected(self, where: str) -> InputError:
        token = self.token
        written = token.written or token.text
        found = "the expression ends" if token.kind is Kind.END else f"`{written}` stands"
        after = self.position > 0 and self.tokens[self.position - 1].text not in {"(", ","}
        hint = _HINTS.get(written) if after else None
        place = place_in(self.text, token.span)
        return InputError(SYNTAX.finding(f"{found} {where}", place=place, suggestion=hint))

    def compared_again(self, left: Node, operator: str, right: Node) -> Node:
        """`a < b < c`: refused, or what Python makes of it."""
        before = left.children if isinstance(left, nodes.Chain) else (left,)
        middle = before[-1].children[-1]
        again = nodes.Binary(operator, middle, right, span=_over(middle, right))
        joined = nodes.Chain("&&", (*before, again), span=_over(left, right))
        if self.grammar.compares_chain:
            return joined
        equality = {operator, getattr(left, "operator", "")} & {"==", "!="}
        bracketed = f"`({left}) {operator} {right}` or " if equality else ""
        message = f"`{self.text[slice(*joined.span)]}` compares twice without saying in which order"
        hint = f"write {bracketed}`{left} && {again}`"
        place = place_in(self.text, joined.span)
        raise InputError(CHAINED.finding(message, place=place, suggestion=hint))


def _over(first: Node, last: Node) -> Span:
    return (first.span[0], last.span[1])
