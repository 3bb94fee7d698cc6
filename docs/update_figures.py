"""Put the figures of a finished run into a page: `python docs/update_figures.py RUN`.

Copies the PNGs to `docs/_static` and rewrites the tutorial, or the how-to of searches, between its
two markers. RUN is a folder, such as `demo/runs/demo/00001`, of the toy that `simulate` writes.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from quarkline.engine.workflow.runs import read_run
from quarkline.engine.workflow.study import find_study

HERE = Path(__file__).parent
START, END = "<!-- figures:start -->", "<!-- figures:end -->"

TUTORIAL = {
    "spectra": "The mass spectrum behind cuts of falling false-positive rate, with the polynomial "
    "fitted to the sidebands.",
    "p_value_scan": "Background-only p-value against the false-positive rate: the classifier, each "
    "feature alone, a random cut, and all events reweighted (a limit from toys).",
    "feature_distributions": "The features in the window, before and behind the cuts.",
    "training_losses": "Training and held-out loss of each flow.",
    "flow_check": "Generated against real sidebands, feature by feature.",
    "roc_curve": "A classifier of real against generated sidebands: the diagonal is the best case.",
    "control": "The same cut on same-sign pairs, where no resonance can be.",
    "sculpting": "The masses in the sidebands before and behind the cuts: the shape should stay.",
    "toys": "The scan of the data among background-only toys.",
}


SEARCH = {
    "score": "The score of events no network has seen, simulation stacked, with the toy's data.",
    "significance_scan": "The significance of every cut on the score, with errors from bootstrap "
    "replicas and the best cuts.",
    "signal_roc": "The signal against all background and against each class.",
    "importance": "The area under the curve that is lost when a feature is shuffled.",
    "correlation_background": "The correlation of every feature with the others, and with the "
    "score in the last row.",
    "systematics": "What each systematic does to the background, through the network where it "
    "shifts columns.",
    "cut_flow": "The events of every sample after each cut of the region.",
}

PAGES = {
    "resonance": ("tutorial.md", "tutorial", TUTORIAL),
    "search": ("how-to/search.md", "search", SEARCH),
}
"""The page of each study, the folder of its pictures, and their captions."""


def main(folder: Path) -> None:
    """Fill the page of its study from one finished run."""
    run = read_run(folder)
    name, pictures, captions = PAGES[run.study]
    headline = find_study(run.study).headline(run.results())
    drawn = run.record("figures").files["figures"]
    target = HERE / "_static" / pictures
    target.mkdir(parents=True, exist_ok=True)
    up = "../" * name.count("/")
    shown = [
        figure(Path(shutil.copy(drawn / f"{stem}.png", target)), up, caption)
        for stem, caption in captions.items()
    ]
    page = HERE / name
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    parts = [START, f"```text\n{headline}\n```", *shown, END]
    page.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


def figure(picture: Path, up: str, caption: str) -> str:
    """The place of one figure on a page."""
    place = f"{up}{picture.relative_to(HERE).as_posix()}"
    return f":::{{figure}} {place}\n:alt: {caption}\n\n{caption}\n:::"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
