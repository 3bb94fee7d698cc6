"""Put the figures of a finished run into the tutorial: `python docs/update_figures.py RUN`.

Copies the PNGs to `docs/_static/tutorial` and rewrites the tutorial between its two markers. RUN is
a folder, such as `demo/runs/demo/00001`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from quarkline.engine.workflow.runs import read_run
from quarkline.engine.workflow.study import find_study

HERE = Path(__file__).parent
PICTURES = HERE / "_static" / "tutorial"
START, END = "<!-- figures:start -->", "<!-- figures:end -->"

CAPTIONS = {
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


def main(folder: Path) -> None:
    """Fill the tutorial from one finished run."""
    run = read_run(folder)
    headline = find_study(run.study).headline(run.results())
    drawn = run.record("figures").files["figures"]
    PICTURES.mkdir(parents=True, exist_ok=True)
    shown = [figure(drawn, stem, caption) for stem, caption in CAPTIONS.items()]
    page = HERE / "tutorial.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    parts = [START, f"```text\n{headline}\n```", *shown, END]
    page.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


def figure(drawn: Path, stem: str, caption: str) -> str:
    """Copy one figure; its place in the tutorial."""
    picture = shutil.copy(drawn / f"{stem}.png", PICTURES)
    return f":::{{figure}} _static/tutorial/{Path(picture).name}\n:alt: {caption}\n\n{caption}\n:::"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
