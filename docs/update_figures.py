"""Put the figures of a finished run into the tutorial: `python docs/update_figures.py RUN`.

Copies the PNGs to `docs/_static/tutorial` and rewrites the tutorial between its two markers.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from quarkline.tools.list_runs import rows

HERE = Path(__file__).parent
PICTURES = HERE / "_static" / "tutorial"
START, END = "<!-- figures:start -->", "<!-- figures:end -->"

CAPTIONS = {
    "spectra": "The mass spectrum behind cuts of falling false-positive rate, with the polynomial "
    "fitted to the sidebands.",
    "significance": "Background-only p-value against the false-positive rate, for the classifier, "
    "each feature alone and a random cut.",
    "feature_distributions": "The features in the window, before and behind the cuts.",
    "training_losses": "Training and held-out loss of each flow.",
    "roc_curve": "Real against generated sidebands: the diagonal is what one wants.",
    "same_sign": "The same cut on same-sign pairs, where no resonance can be.",
    "significance_variations": "The scan for every degree and number of bins.",
}


def main(run: Path) -> None:
    """Fill the tutorial from one finished run."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    shown = [figure(run, stem, caption) for stem, caption in CAPTIONS.items()]
    headline = next(row.headline for row in rows(run.parents[1]) if row.folder == run)
    page = HERE / "tutorial.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    parts = [START, f"```text\n{headline}\n```", *shown, END]
    page.write_text(before + "\n\n".join(parts) + after, encoding="utf-8")


def figure(run: Path, stem: str, caption: str) -> str:
    """Copy one figure; its place in the tutorial."""
    picture = next(run.rglob(f"{stem}.png"))
    shutil.copy(picture, PICTURES / picture.name)
    return f":::{{figure}} _static/tutorial/{picture.name}\n:alt: {caption}\n\n{caption}\n:::"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
