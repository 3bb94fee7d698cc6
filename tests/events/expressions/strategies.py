"""Random expressions: trees of the whole language, and texts that are nearly expressions."""

from __future__ import annotations

from hypothesis import strategies as st

from quarkline.events.expressions import nodes
from quarkline.events.expressions.nodes import Node

NAMES = st.sampled_from(["a", "b", "n", "Jet_pt", "jets.fPt", "TMath::x", "Entry$", "_x1", "µ"])
WORDS = st.sampled_from(["f", "abs", "TMath::Max", "Sum$", "int"])

constants = (
    st.floats(0, allow_infinity=False, allow_nan=False).map(nodes.Number)
    | st.integers(0, 1000).map(lambda value: nodes.Number(float(value)))
    | st.booleans().map(nodes.Boolean)
    | st.text(st.characters(codec="utf-8", exclude_characters="\"'"), max_size=5).map(nodes.Text)
)
names = NAMES.map(nodes.Name)


OPERATORS = st.sampled_from(["-", "/", "%", "^", "<", ">", "<=", ">=", "==", "!=", "<<", ">>"])


def _larger(smaller: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    arguments = st.lists(smaller, max_size=3).map(tuple)
    indices = st.lists(smaller | st.none(), min_size=1, max_size=2).map(tuple)
    member = st.sampled_from(["fX", "Pt", "size"])
    container = st.builds(nodes.Container, names | st.builds(nodes.Index, names, indices))
    return st.one_of(
        st.builds(nodes.Unary, st.sampled_from(["-", "!"]), smaller),
        st.builds(
            nodes.Binary,
            OPERATORS,
            smaller,
            smaller,
        ),
        st.builds(
            nodes.Chain,
            st.sampled_from(["+", "*", "&&", "||", "&", "|"]),
            st.lists(smaller, min_size=2, max_size=4).map(tuple),
        ),
        st.builds(nodes.Conditional, smaller, smaller, smaller),
        st.builds(nodes.Call, WORDS, arguments),
        st.builds(nodes.Cast, st.sampled_from(["int", "Double_t"]), smaller),
        st.builds(nodes.Index, smaller, indices),
        st.builds(nodes.Member, smaller, member),
        st.builds(nodes.Method, smaller | container, member, arguments),
        container,
    )


trees = st.recursive(constants | names, _larger, max_leaves=12)

PIECES = st.sampled_from(
    [
        *("a", "b", "n", "nJet", "flag", "Type", "Jet_pt", "Jet_pt[0]", "Jet_pt[1]", "v", "v[2]"),
        *("hits", "jets.fPt", "AuxDyn.pt", "links", "x", "Entry$", "@Jet_pt.size()", "pi"),
        *("1", "2.5", "0", ".5", "1e3", "0x1F", "3e-2", '"GG"', "'x'", "true", "False"),
        *("(", ")", "[", "]", ",", "?", ":", ".", "@", "$", "=", "==", "!=", "<", ">", "<=", ">="),
        *("+", "-", "*", "/", "%", "^", "**", "&", "|", "&&", "||", "!", "and", "or", "not"),
        *("<<", ">>", "+=", "++", "in", "if", "abs(", "min(", "sqrt(", "TMath::Max(", "Sum$("),
        *(
            "(int)",
            "->",
            "[]",
            "[0]",
            "[n]",
            "Length$",
            "Iteration$",
            "Length$(",
            "Alt$(",
            ".size()",
        ),
        *("\\", '"', "'", "#", "~", "é", "\n"),
    ]
)
near_expressions = st.lists(PIECES, max_size=14).map(" ".join) | st.lists(PIECES, max_size=14).map(
    "".join
)
