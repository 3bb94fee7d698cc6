"""The actions of TRExFitter by their letters, in the one order they are carried out."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.findings import InputError, Rule, did_you_mean

NO_ACTION = Rule(
    "QL-TREX-035",
    "actions are letters, or one of the words `check`, `convert` and `compare`",
    "The first argument of `quarkline trexfitter` is a string of letters such as `nwdfpr`, one "
    "for each action, in any order.",
)
WRONG_INPUTS = Rule(
    "QL-TREX-036",
    "`n` reads ntuples, `h` reads histograms",
    "`ReadFrom` of the job says which of the two there are.",
)


@dataclass(frozen=True)
class Action:
    """One action.

    Attributes:
        letter: Its letter.
        does: What it does, in words.
    """

    letter: str
    does: str


ACTIONS = (
    Action("n", "fill histograms from ntuples"),
    Action("h", "read histograms"),
    Action("b", "smooth, symmetrise and combine again"),
    Action("w", "prune, and build the workspace"),
    Action("f", "fit"),
    Action("x", "scan the likelihood"),
    Action("r", "rank the nuisance parameters"),
    Action("l", "find the upper limit"),
    Action("s", "find the significance"),
    Action("i", "find the impact of groups"),
    Action("d", "draw before the fit"),
    Action("p", "draw after the fit"),
    Action("a", "draw the separation"),
    Action("m", "compare or combine jobs"),
)
"""In the order they are carried out; `m` takes the others of its config with it."""
LETTERS = "".join(action.letter for action in ACTIONS)
WORDS = ("check", "convert", "compare")


def ordered(letters: str) -> str:
    """The letters in the order they are carried out, each once.

    Raises:
        InputError: If one of them is no action.
    """
    if unknown := sorted(set(letters) - set(LETTERS)):
        what = ", ".join(f"`{letter}`" for letter in unknown)
        hint = f"letters are {LETTERS}; words are {', '.join(WORDS)}"
        if "u" in unknown:
            hint = "unfolding is not done"
        elif len(letters) > 3 and (near := did_you_mean(letters, WORDS)).startswith("did"):
            hint = near
        raise InputError(NO_ACTION.finding(f"{what} is no action", suggestion=hint))
    return "".join(letter for letter in LETTERS if letter in letters)
