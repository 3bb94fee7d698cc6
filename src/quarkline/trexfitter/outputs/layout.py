"""Where the files of a job are: names below its folder, as TRExFitter has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

POST = "_postFit"


@dataclass(frozen=True)
class Layout:
    """Names of the files of a job; those of figures lack the ending.

    Attributes:
        folder: The job's folder.
        name: What names of its files begin with.
        suffix: What they end with.
    """

    folder: Path
    name: str
    suffix: str = ""

    def fit(self, kind: str = "") -> Path:
        """A fit's text: kind `_statOnly`, `_saturatedModel`, or none."""
        return self.folder / "Fits" / f"{self.name}{self.suffix}{kind}.txt"

    def ranking(self, poi: str, only: str | None = None) -> Path:
        """A ranking's text, of all parameters or one only."""
        part = f"_{only}" if only else ""
        return self.folder / "Fits" / f"NPRanking{self.suffix}{part}_{poi}.txt"

    def impacts(self, only: str | None = None) -> Path:
        """Grouped impacts, of all groups or one only."""
        part = f"_{only}" if only else ""
        return self.folder / "Fits" / f"GroupedImpact{self.suffix}{part}.txt"

    @property
    def pruning(self) -> Path:
        """What pruning left."""
        return self.folder / "PruningText.txt"

    @property
    def likelihood(self) -> Path:
        """The likelihood, as Quarkline reads it again."""
        return self.folder / "RooStats" / f"{self.name}{self.suffix}_likelihood.json"

    @property
    def workspace(self) -> Path:
        """The likelihood as pyhf's JSON."""
        return self.folder / "RooStats" / f"{self.name}{self.suffix}_pyhf.json"

    def yields(self, group: str = "", *, after: bool) -> Path:
        """A table of yields, without ending."""
        part = f"_{group}" if group else ""
        return self.folder / "Tables" / f"Yields{POST * after}{part}{self.suffix}"

    def effects(self, region: str, *, after: bool, category: bool = False) -> Path:
        """A table of systematics in a region, without ending."""
        kind = "_syst" + "_category" * category
        return self.folder / "Tables" / f"{region}{self.suffix}{kind}{POST * after}"

    def pull_table(self, region: str) -> Path:
        """The table of what pulls do to samples in a region."""
        return self.folder / "Tables" / f"Pulls_{self.suffix}{region}.tex"

    def region(self, region: str, *, after: bool) -> Path:
        """The figure of a region."""
        return self.folder / "Plots" / f"{region}{POST * after}{self.suffix}"

    def region_histograms(self, region: str, *, after: bool) -> Path:
        """The histograms of a region's figure."""
        kind = "_postFit" if after else "_preFit"
        return self.folder / "Histograms" / f"{region}{self.suffix}{kind}.root"

    def summary(self, prefix: str = "", *, after: bool, validation: bool) -> Path:
        """The figure of all regions."""
        head = f"{prefix}_" if prefix else ""
        stem = f"{head}Summary{POST * after}{'_VR' * validation}{self.suffix}"
        return self.folder / "Plots" / stem

    def merged(self, prefix: str = "", group: str = "", *, after: bool) -> Path:
        """The figure of regions beside each other."""
        parts = (*([prefix] if prefix else []), "Merge", *([group] if group else []))
        return self.folder / "Plots" / f"{'_'.join(parts)}{POST * after}{self.suffix}"

    def separation(self, region: str) -> Path:
        """The figure of signal and background shapes of a region."""
        return self.folder / "Plots" / "Separation" / f"{region}{self.suffix}"

    def control(self, systematic: str, *where: str) -> Path:
        """The figure of a systematic in a region, and on a sample there."""
        return self.folder / "Systematics" / systematic / "_".join((*where, systematic))

    def figure(self, stem: str, *, end: str = "") -> Path:
        """A figure in the job's folder, such as `NuisPar`; `end` follows the suffix."""
        return self.folder / f"{stem}{self.suffix}{end}"

    def hepdata(self, name: str = "") -> Path:
        """A table for HEPData, or their folder."""
        folder = self.folder / "HEPData"
        return folder / f"{name}.yaml" if name else folder

    def pulls(self, category: str) -> Path:
        """The figure of nuisance parameters of one category."""
        return self.figure(f"NuisPar_{re.sub(r'[ #{}]', '_', category)}")

    def scan(self, *parameters: str) -> Path:
        """The figure of a scan of one or two parameters."""
        stem = "_".join(("NLLscan", *parameters))
        return self.folder / "LHoodPlots" / f"{stem}{self.suffix}"

    def limits(self, file: str) -> Path:
        """A file with limits."""
        return self.folder / "Limits" / "asymptotics" / file

    def significance(self, file: str) -> Path:
        """A file with significances."""
        return self.folder / "Significance" / "asymptotics" / file

    def toys(self, name: str) -> Path:
        """A file about pseudo-data."""
        return self.folder / "Toys" / f"{name}{self.suffix}"
