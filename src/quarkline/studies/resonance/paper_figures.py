"""`PaperFigureGenerator` of `resonance_ad`: its nine methods with their arguments, drawn by us.

The methods take arrays and write `<save_path>.pdf`, `.png` and `.json`. Where the old guide states
a method's arguments they are kept, names, order and defaults; numbers of bins are numbers of edges
there, so `12` makes 11 bins in the window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from quarkline import figures
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.run import open_analysis
from quarkline.statistics import HuntBinning, excess_significance, fit_batch, spectrum_fit
from quarkline.studies.resonance.check_flows import Sidebands, separation
from quarkline.studies.resonance.config import ResonanceConfig
from quarkline.studies.resonance.events import Pairs
from quarkline.studies.resonance.material import label_of, spectrum_lines

Floats = NDArray[np.float64]

DEFAULT_FEATURE_BINS: Mapping[str, Floats] = {
    name: style.edges for name, style in figures.FEATURES.items() if style.edges is not None
}
"""Bin edges of every feature, those of the published control plots."""
DEFAULT_FEATURE_LABELS: Mapping[str, str] = {
    name: style.label for name, style in figures.FEATURES.items()
}
"""Axis label of every feature."""

LINE_PROPERTIES = ("color", "linestyle", "linewidth", "alpha")
STEPS = {"step": False, "stepfilled": True}

WRONG_ARGUMENT = Rule(
    "QL-RES-020",
    "the old plotting methods get what the old guide says",
    "`PaperFigureGenerator` keeps the arguments of the old guide. What it cannot draw it refuses, "
    "rather than draw something else.",
)


class PaperFigureGenerator:
    """The nine figures of the old guide for the windows and labels of one config."""

    def __init__(self, config: ResonanceConfig | str | Path) -> None:
        """Take windows, features and labels from a config.

        Args:
            config: The YAML file that `quarkline new upsilon` writes, or its validated content.

        Raises:
            InputError: If the file is no config of the resonance study.
        """
        self.config = config if isinstance(config, ResonanceConfig) else _read(Path(config))

    def plot_mass_spectrum(self, masses: ArrayLike, save_path: str | Path | None = None) -> Figure:
        """Draw the mass histogram with sidebands and signal region told apart.

        Args:
            masses: In GeV, with shape (N,).
            save_path: Where to write, without extension; None writes nothing.
        """
        return _saved(
            figures.plot_mass_spectrum(
                flat(masses),
                edges=self._binning().edges,
                window=self.config.resonance.window,
                **self._lines(),
            ),
            save_path,
        )

    def plot_background_fit(
        self,
        masses: ArrayLike,
        fit_degree: int | None = None,
        num_bins: int | None = None,
        save_path: str | Path | None = None,
    ) -> Figure:
        """Draw the mass histogram with the polynomial fitted to the sidebands, and its pulls.

        Args:
            masses: In GeV, with shape (N,).
            fit_degree: Degree of the polynomial; None takes the config's.
            num_bins: Number of bin edges in the signal region; None takes the config's bins.
            save_path: Where to write, without extension; None writes nothing.
        """
        mass, degree = flat(masses), fit_degree or self.config.fit.degree
        binning = self._binning(num_bins)
        z = float(fit_batch(binning.count(mass), degree).z)
        spectrum = figures.FittedSpectrum.of(spectrum_fit(binning, mass, degree), z=z)
        return _saved(figures.plot_background_fit(spectrum, **self._lines()), save_path)

    def plot_anomaly_score_distribution(
        self, scores: Mapping[str, ArrayLike], save_path: str | Path | None = None
    ) -> Figure:
        """Draw the score in each region, normalised to one.

        Args:
            scores: Scores by region, such as `SBL`, `SR`, `SBH`, each with shape (N,).
            save_path: Where to write, without extension; None writes nothing.
        """
        arrays = {name: flat(values) for name, values in scores.items()}
        drawn = figures.plot_anomaly_score_distribution(arrays, label=self._label())
        return _saved(drawn, save_path)

    def plot_significance(
        self,
        masses: ArrayLike,
        fit_degree: int | None = None,
        num_bins: int | None = None,
        save_path: str | Path | None = None,
    ) -> Figure:
        """Draw the local significance of each mass bin over the fit of the sidebands.

        Args:
            masses: In GeV, with shape (N,).
            fit_degree: Degree of the polynomial; None takes the config's.
            num_bins: Number of bin edges in the signal region; None takes the config's bins.
            save_path: Where to write, without extension; None writes nothing.
        """
        degree = fit_degree or self.config.fit.degree
        fit = spectrum_fit(self._binning(num_bins), flat(masses), degree)
        z = excess_significance(fit.counts, np.maximum(fit.expected, 0.0), fit.band)
        window = self.config.resonance.window
        drawn = figures.plot_significance(fit.edges, z, window=window, **self._lines())
        return _saved(drawn, save_path)

    def plot_score_vs_mass(
        self, masses: ArrayLike, scores: ArrayLike, save_path: str | Path | None = None
    ) -> Figure:
        """Draw the number of events in bins of mass and score.

        Args:
            masses: In GeV, with shape (N,).
            scores: With shape (N,).
            save_path: Where to write, without extension; None writes nothing.
        """
        return _saved(
            figures.plot_score_vs_mass(
                flat(masses),
                flat(scores),
                mass_edges=self._binning().edges,
                window=self.config.resonance.window,
                mass_label=figures.DIMUON_MASS,
                label=self._label(),
            ),
            save_path,
        )

    def plot_feature_distributions(
        self,
        data_dicts: Sequence[Mapping[str, ArrayLike]],
        data_labels: Sequence[str],
        feature_set: Sequence[str],
        kwargs_dict: Mapping[str, Mapping[str, Any]],
        feature_bins: Mapping[str, ArrayLike] = DEFAULT_FEATURE_BINS,
        feature_labels: Mapping[str, str] = DEFAULT_FEATURE_LABELS,
        save_path: str | Path | None = None,
        yscale_log: bool = True,
    ) -> Figure:
        """Draw the distribution of each feature in each set of data, a panel a feature.

        Args:
            data_dicts: Values by feature of each set, each of shape (N,) or (N, 1).
            data_labels: Name of each set.
            feature_set: The features to draw.
            kwargs_dict: By name of a set: `label`, `color`, `linestyle`, `linewidth`, `alpha` and
                `histtype` ("step" or "stepfilled").
            feature_bins: Bin edges by feature; a feature that is not there spans its values.
            feature_labels: Axis label by feature.
            save_path: Where to write, without extension; None writes nothing.
            yscale_log: Whether the y axes are logarithmic.

        Raises:
            InputError: If names and data differ in number, a feature is missing, or a property is
                not one of these.
        """
        _same_number(data_dicts, data_labels)
        kwargs = {name: dict(kwargs_dict.get(name, {})) for name in data_labels}
        shown = {name: str(kwargs[name].pop("label", name)) for name in data_labels}
        selections = {
            shown[name]: {feature: flat(_feature(data, feature, name)) for feature in feature_set}
            for name, data in zip(data_labels, data_dicts, strict=True)
        }
        drawn = figures.plot_feature_distributions(
            selections,
            features=list(feature_set),
            styles={
                feature: figures.FeatureStyle(
                    feature_labels.get(feature, figures.plain_text(feature)),
                    flat(feature_bins[feature]) if feature in feature_bins else None,
                )
                for feature in feature_set
            },
            lines={shown[name]: _line(kwargs[name], name) for name in data_labels},
            log=yscale_log,
            label=self._label(),
        )
        return _saved(drawn, save_path)

    def plot_significance_variations(
        self,
        significance_results: Mapping[str, Mapping[str, ArrayLike]],
        fpr_thresholds: ArrayLike,
        fit_degrees: Sequence[int] = (3, 5, 7),
        num_bins_list: Sequence[int] = (8, 12, 16),
        save_path: str | Path | None = None,
    ) -> Figure:
        """Draw the background-only p-value against the cut for each degree and bin width.

        Args:
            significance_results: By `<degree>_<edges>`, a mapping whose `significances` have the
                shape of `fpr_thresholds`, or (n, 1).
            fpr_thresholds: Fraction of sideband events each cut keeps, with shape (n,).
            fit_degrees: Degrees to draw.
            num_bins_list: Numbers of bin edges in the signal region to draw.
            save_path: Where to write, without extension; None writes nothing.

        Raises:
            InputError: If a variation is missing or has another length.
        """
        fpr = flat(fpr_thresholds)
        wanted = {f"{d}_{n}": (d, n - 1) for d in fit_degrees for n in num_bins_list}
        if missing := [key for key in wanted if key not in significance_results]:
            _refuse(
                f"`significance_results` has no {', '.join(f'`{key}`' for key in missing)}",
                "give these, or draw fewer with `fit_degrees` and `num_bins_list`",
            )
        z = {pair: flat(significance_results[key]["significances"]) for key, pair in wanted.items()}
        for key, curve in zip(wanted, z.values(), strict=True):
            if curve.shape != fpr.shape:
                _refuse(
                    f"`{key}` has {curve.size} significances for {fpr.size} `fpr_thresholds`",
                    "give one significance a threshold",
                )
        drawn = figures.plot_significance_variations(
            fpr, z, window=self.config.resonance.window, label=self._label()
        )
        return _saved(drawn, save_path)

    def plot_roc_curve(
        self,
        data: ArrayLike,
        samples: ArrayLike,
        n_runs: int = 3,
        save_path: str | Path | None = None,
    ) -> tuple[float, float]:
        """Train classifiers of sideband data against samples of the flow, then draw their ROC.

        The config's classifiers learn out of fold, `n_runs` times with new folds and seeds. The
        mass is no input: a last column beyond the config's features is taken for it and left out.

        Args:
            data: Sideband data, `SB` of `flow_samples.pkl`, with shape (N, F) or (N, F + 1).
            samples: Samples of the flow, `SB_samples`, with the same number of columns.
            n_runs: Number of trainings.
            save_path: Where to write, without extension; None writes nothing.

        Returns:
            Mean area under the curves and their standard deviation; 0.5 is indistinguishable.

        Raises:
            InputError: If the arrays do not have the config's features as columns.
        """
        features = self.config.features
        rows = _columns(data, features, "data")
        sidebands = Sidebands(_pairs(rows), _columns(samples, features, "samples"))
        curves = [
            separation(
                sidebands,
                self.config.classifier.model_dump(),
                features,
                seed=library_seed(self.config.seed, "roc-curve"),
                repetition=run,
            )
            for run in range(n_runs)
        ]
        areas = np.array([curve.auc.value for curve in curves])
        mean, spread = float(areas.mean()), float(areas.std(ddof=1)) if n_runs > 1 else 0.0
        drawn = figures.plot_roc_curve(
            [(curve.background_efficiency, curve.signal_efficiency) for curve in curves],
            auc=Quantity(mean, spread, spread),
            label=self._label(),
        )
        _saved(drawn, save_path)
        return mean, spread

    def plot_training_losses(
        self,
        train_losses: ArrayLike,
        val_losses: ArrayLike,
        yrange: tuple[float, float] | None = None,
        save_path: str | Path | None = None,
    ) -> Figure:
        """Draw the losses per epoch with their 5-epoch moving averages.

        Args:
            train_losses: Loss after each epoch, with shape (epochs,).
            val_losses: The same for held-out events.
            yrange: Limits of the y axis; None takes what the losses need.
            save_path: Where to write, without extension; None writes nothing.
        """
        drawn = figures.plot_training_losses(
            [flat(train_losses)], [flat(val_losses)], y_range=yrange, label=self._label()
        )
        return _saved(drawn, save_path)

    def _binning(self, num_bins: int | None = None) -> HuntBinning:
        bins = self.config.fit.bins if num_bins is None else num_bins - 1
        return HuntBinning(self.config.resonance.range, self.config.resonance.window, bins)

    def _label(self) -> figures.Label:
        return label_of(self.config.labels)

    def _lines(self) -> dict[str, Any]:
        return spectrum_lines(self.config.resonance.marked, self.config.labels)


def flat(values: ArrayLike) -> Floats:
    """Values as one row, also those of shape (N, 1) as the old band data have them."""
    return np.asarray(values, dtype=np.float64).ravel()


def _read(path: Path) -> ResonanceConfig:
    config = open_analysis(load_config(path)).config
    if not isinstance(config, ResonanceConfig):
        _refuse(f"`{path}` is a config of study `{config.study}`", "quarkline new upsilon")
    return config


def _saved(figure: Figure, save_path: str | Path | None) -> Figure:
    if save_path is not None:
        figures.save(figure, Path(save_path))
    return figure


def _same_number(data: Sequence[Any], labels: Sequence[str]) -> None:
    if len(data) != len(labels):
        _refuse(
            f"{len(data)} `data_dicts` have {len(labels)} `data_labels`",
            "give one label a set of data",
        )


def _feature(data: Mapping[str, ArrayLike], feature: str, name: str) -> ArrayLike:
    if feature not in data:
        _refuse(
            f"`{name}` has no feature `{feature}`", did_you_mean(feature, data, what="features")
        )
    return data[feature]


def _line(kwargs: dict[str, Any], name: str) -> dict[str, Any]:
    kind = kwargs.pop("histtype", "step")
    known = ("label", "histtype", *LINE_PROPERTIES)
    for key in kwargs:
        if key not in LINE_PROPERTIES:
            _refuse(
                f"`{key}` of `{name}` in `kwargs_dict` is not a property that is drawn",
                did_you_mean(key, known, what="properties"),
            )
    if kind not in STEPS:
        _refuse(f"`histtype` of `{name}` is `{kind}`", did_you_mean(str(kind), STEPS, what="kinds"))
    return kwargs | {"fill": STEPS[kind]}


def _columns(values: ArrayLike, features: Sequence[str], name: str) -> Floats:
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (len(features), len(features) + 1):
        _refuse(
            f"`{name}` has the shape {rows.shape}, not (N, {len(features)}) for the features "
            f"{', '.join(features)}",
            "give one column a feature of the config, with or without the mass as the last one",
        )
    return rows[:, : len(features)]


def _pairs(rows: Floats) -> Pairs:
    """Events that only have features; each is a group of its own."""
    none = np.zeros(len(rows))
    group = np.arange(len(rows), dtype=np.uint64)
    return Pairs(none, rows, group, none.astype(bool), (0.0, 0.0))


def _refuse(message: str, suggestion: str | None) -> NoReturn:
    raise InputError(WRONG_ARGUMENT.finding(message, suggestion=suggestion))
