"""Public configs as they are: each is read, or refused with the right reason."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from quarkline.catalog import Catalog, Normalisation, Varied
from quarkline.engine.core.config import ConfigFile, load_config
from quarkline.engine.core.findings import InputError
from quarkline.tools.trexfitter import load_job
from quarkline.trexfitter import TrexConfig, read_trexfitter, translate
from quarkline.trexfitter.command_line import CommandOptions
from quarkline.trexfitter.convert import converted
from quarkline.trexfitter.job import Job, open_job
from quarkline.trexfitter.plan import plan_of

LQ, TREX = "lq/trex-fitter", "trexfitter_configs"
TTH = f"{TREX}/tth_2lss1tau/configs"
# samples, regions, systematics, norm factors
READ = {
    f"{LQ}/configs/pre-fit.config": (16, 6, 0, 1),
    f"{LQ}/configs/probs.config": (15, 1, 0, 1),
    f"{LQ}/configs/raw-events.config": (16, 2, 0, 1),
    f"{LQ}/configs/training.config": (15, 1, 0, 0),
    f"{LQ}/configs/training_small.config": (15, 1, 0, 0),
    f"{TREX}/official_tests/configs/FitExample.config": (4, 3, 3, 1),
    f"{TREX}/official_tests/configs/FitExampleInterferenceOffset.config": (7, 1, 1, 3),
    f"{TREX}/official_tests/configs/FitExampleNtuple.config": (5, 2, 6, 2),
    f"{TREX}/official_tests/configs/FitExampleStatOnly.config": (4, 3, 3, 1),
    f"{TTH}/no-fakes.config": (19, 7, 0, 1),
    f"{TTH}/partial-sys/electrons-gamma-met.config": (10, 1, 8, 1),
    f"{TTH}/pre-fit-small.config": (38, 5, 0, 1),
    f"{TTH}/pre-fit.config": (35, 7, 0, 1),
    f"{TTH}/probs-partial-sys-partial-bg.config": (26, 1, 34, 1),
    f"{TTH}/probs-partial-sys.config": (37, 1, 34, 1),
    f"{TTH}/probs-sys.config": (37, 1, 65, 1),
    f"{TTH}/probs.config": (34, 1, 0, 1),
    f"{TTH}/raw-events.config": (19, 2, 0, 1),
    f"{TTH}/training.config": (18, 1, 0, 0),
    f"{TREX}/tutorial/myFit.config": (4, 3, 3, 1),
    f"{TREX}/tutorial/ttHbbLjetBase.config": (6, 9, 54, 1),
    f"{TREX}/vbs_eft/VBS_2lep_EFT_Ntuples_FT0.config": (6, 3, 0, 2),
    f"{TREX}/zprime_4mu/zprime_42_fit.config": (2, 2, 1, 2),
}
REFUSED = {
    f"{TTH}/probs-nn-output.config": ("QL-TREX-002", "`Significance` has no value"),
    f"{TREX}/official_tests/jobSchema.config": ("QL-TREX-024", "is a schema of the language"),
    f"{TREX}/official_tests/multiFitSchema.config": ("QL-TREX-024", "is a schema"),
    f"{TREX}/tutorial/dataDriven.config": ("QL-TREX-020", "`FitType` is no option of Job"),
    f"{TREX}/tutorial/myTopWS_multifit.config": ("QL-TREX-031", "names other configs"),
    f"{TREX}/tutorial/ttH2015_multifit_CRvsSR.config": ("QL-TREX-031", "names other configs"),
    f"{TREX}/tutorial/ttHbbNTupleEx.config": ("QL-TREX-021", "`Type: BACKGROUND` is not one of"),
    f"{TREX}/zprime_4mu/config_template.config": ("QL-TREX-023", "is not filled"),
    f"{TREX}/zprime_4mu/config_template_p4_sys_module.config": ("QL-TREX-022", "no `Job` block"),
    f"{TREX}/zprime_4mu/config_template_wt_sys_module.config": ("QL-TREX-022", "no `Job` block"),
}
# files, missing ones, histograms, what is refused of n or h, w, f, d, p
FORMULA = "is the formula"
PLANS: dict[str, tuple[int, int, int, str | None]] = {
    f"{LQ}/configs/pre-fit.config": (304, 249, 96, None),
    f"{LQ}/configs/probs.config": (300, 249, 15, None),
    f"{LQ}/configs/raw-events.config": (304, 249, 32, None),
    f"{LQ}/configs/training.config": (300, 249, 15, None),
    f"{LQ}/configs/training_small.config": (300, 249, 15, None),
    f"{TREX}/official_tests/configs/FitExample.config": (4, 0, 18, None),
    f"{TREX}/official_tests/configs/FitExampleInterferenceOffset.config": (5, 0, 13, FORMULA),
    f"{TREX}/official_tests/configs/FitExampleNtuple.config": (3, 0, 48, None),
    f"{TREX}/official_tests/configs/FitExampleStatOnly.config": (4, 0, 12, None),
    f"{TTH}/no-fakes.config": (331, 331, 133, None),
    f"{TTH}/partial-sys/electrons-gamma-met.config": (255, 255, 108, None),
    f"{TTH}/pre-fit-small.config": (505, 505, 190, None),
    f"{TTH}/pre-fit.config": (484, 484, 245, None),
    f"{TTH}/probs-partial-sys-partial-bg.config": (657, 657, 520, None),
    f"{TTH}/probs-partial-sys.config": (1155, 1155, 1092, None),
    f"{TTH}/probs-sys.config": (1191, 1191, 1198, None),
    f"{TTH}/probs.config": (480, 480, 34, None),
    f"{TTH}/raw-events.config": (331, 331, 38, None),
    f"{TTH}/training.config": (327, 327, 18, None),
    f"{TREX}/tutorial/myFit.config": (4, 4, 18, None),
    f"{TREX}/tutorial/ttHbbLjetBase.config": (90, 90, 1620, None),
    f"{TREX}/vbs_eft/VBS_2lep_EFT_Ntuples_FT0.config": (6, 6, 18, FORMULA),
    f"{TREX}/zprime_4mu/zprime_42_fit.config": (2, 2, 4, None),
}
"""What `--dry-run` says; the official inputs are found from a folder that holds `test/inputs`."""
LARGE = {name for name in PLANS if PLANS[name][0] > 450 and "probs-sys" not in name}
PART = ("QL-TREX-022", "there is no `Job` block")


def translated(path: Path) -> tuple[TrexConfig, ConfigFile, Catalog]:
    config = read_trexfitter(path)
    file = translate(config)
    return config, file, file.validate(Catalog)


def test_every_public_config_is_in_a_list_or_is_a_part(data_folder: Path):
    for folder in (LQ, TREX):
        for path in sorted((data_folder / folder).rglob("*.config")):
            name = path.relative_to(data_folder).as_posix()
            if name not in READ and name not in REFUSED:
                errors = [(item.code, item.message) for item in read_trexfitter(path).errors]
                assert PART in errors, name


@pytest.mark.parametrize("name", READ)
def test_a_config_is_read(data_folder: Path, name: str, tmp_path: Path):
    config, _, catalog = translated(data_folder / name)
    parts = (catalog.samples, catalog.regions, catalog.systematics, catalog.norm_factors)
    assert tuple(map(len, parts)) == READ[name]
    canonical = tmp_path / "again.config"
    canonical.write_text(str(config))
    again = read_trexfitter(canonical, base=config.base, replace=config.replacements.values)
    assert again.blocks == config.blocks
    own = tmp_path / "own.yaml"
    own.write_text(json.dumps(catalog.model_dump(mode="json", exclude_unset=True)))
    assert load_config(own).validate(Catalog) == catalog
    job = open_job(config, CommandOptions())
    own.write_text(converted(job))
    assert load_config(own).validate(Catalog) == job.catalog


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in PLANS],
)
def test_a_plan_says_what_would_be_done(
    data_folder: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "test").symlink_to(data_folder / TREX / "official_tests")
    monkeypatch.chdir(tmp_path)
    ntuples = {"XXX_NtuplePaths": str(data_folder / "lq_ntuples")}
    job = load_job(data_folder / name, replace=ntuples if name.startswith(LQ) else None)
    assert isinstance(job, Job)
    fill = "n" if job.catalog.reads == "ntuples" else "h"
    plan = plan_of(job, f"pdfw{fill}")
    files, missing, histograms, refused = PLANS[name]
    assert (plan.files, plan.missing, plan.histograms) == (files, missing, histograms)
    assert "".join(step.letter for step in plan.steps) == f"{fill}wfdp"
    assert bool(plan.refused) == bool(refused)
    assert all(refused in str(item["message"]) for item in plan.refused if refused)
    assert all(item["place"] for item in plan.refused)
    assert not any(step.missing for step in plan.steps)


def test_every_config_that_is_read_has_a_plan():
    assert set(PLANS) == set(READ)


def test_leptoquark_configs_go_on_without_what_is_missing(data_folder: Path):
    job = load_job(data_folder / LQ / "configs/probs.config", free=["mu_lq"])
    assert isinstance(job, Job)
    assert job.allow_missing
    assert job.catalog.fit is not None
    assert job.catalog.fit.free == ["mu_lq"]


@pytest.mark.parametrize(
    ("name", "lines"), [("myTopWS_multifit", [17, 21]), ("ttH2015_multifit_CRvsSR", [15, 19])]
)
def test_multi_fits_whose_jobs_are_not_there(data_folder: Path, name: str, lines: list[int]):
    with pytest.raises(InputError) as caught:
        load_job(data_folder / TREX / "tutorial" / f"{name}.config")
    absent = [item for item in caught.value.findings if item.code == "QL-TREX-001"]
    assert [item.place and item.place.line for item in absent] == lines


@pytest.mark.parametrize("name", REFUSED)
def test_a_config_is_refused_with_its_reason(data_folder: Path, name: str):
    with pytest.raises(InputError) as caught:
        translated(data_folder / name)
    code, message = REFUSED[name]
    found = [item for item in caught.value.findings if item.code == code]
    assert any(message in item.message for item in found)
    assert all(item.place and item.place.file for item in caught.value.findings)


@pytest.fixture(scope="module")
def leptoquarks(data_folder: Path) -> Catalog:
    return translated(data_folder / LQ / "configs/probs.config")[2]


@pytest.fixture(scope="module")
def parent(data_folder: Path) -> Catalog:
    return translated(data_folder / TTH / "probs-sys.config")[2]


class TestLeptoquarks:
    """Numbers that are known from elsewhere."""

    def test_the_300_files_of_training_and_fit(self, leptoquarks: Catalog):
        files = Counter({name: len(leptoquarks.files_of(name)) for name in leptoquarks.samples})
        known = {"lq": 9, "ttH": 9, "ttW": 3, "ttW_EW": 3, "ttZ": 9, "ttbar": 3, "VV": 39, "tZ": 3}
        known |= {"WtZ": 3, "tW": 6, "threeTop": 3, "ggVV": 9, "VVV": 24, "WttW": 3, "Zjets": 174}
        assert files == known
        assert files.total() == 300

    def test_the_files_are_those_of_the_list_of_names(
        self, leptoquarks: Catalog, data_folder: Path
    ):
        listed = set((data_folder / "lq/jobs/names.txt").read_text().split())
        named = {
            "/".join(f.path.parts[-3:])
            for s in leptoquarks.samples
            for f in leptoquarks.files_of(s)
        }
        assert len(listed) == 875
        assert named <= listed

    def test_weights_of_samples_and_the_luminosity(self, leptoquarks: Catalog):
        weights = {name: float(sample.weight or 1) for name, sample in leptoquarks.samples.items()}
        others = {"ttW": 1.176009203, "ttW_EW": 1.135714286, "ggVV": 1.2}
        assert weights == dict.fromkeys(weights, 1.0) | others
        assert leptoquarks.luminosity.value == 140068.94

    def test_groups_and_bins(self, leptoquarks: Catalog):
        groups = {sample.group for sample in leptoquarks.samples.values()}
        assert len(groups) == 7
        binning = leptoquarks.regions["probs-lq"].binning
        assert (binning.rule, binning.parameters, binning.fine.bins) == ("TransfoD", [2, 2], 10_000)

    def test_weight_and_selection_are_those_whose_yields_root_gave(self, data_folder: Path):
        """The table has, by hash of `(weight)*(selection)`, what ROOT drew file by file."""
        table = Path(__file__).parents[1] / "events/expressions/root_yields.json"
        recorded = json.loads(table.read_text())["regions"]
        _, _, catalog = translated(data_folder / LQ / "configs/pre-fit.config")
        weight, cut = (
            catalog.weight_of("ttH", "lep-pt-0"),
            catalog.selection_of("ttH", "lep-pt-0"),
        )
        key = hashlib.blake2b(f"({weight})*({cut})".encode(), digest_size=8).hexdigest()
        assert key in recorded


class TestParent:
    """The analysis with systematics and fakes that the leptoquark search comes from."""

    def test_fakes_have_none_of_the_systematics_that_leave_them_out(self, parent: Catalog):
        assert not any("MU" in name for name in parent.systematics_of("FakeMu", "probs-ttH"))
        assert "ATLAS_MU_ID" in parent.systematics_of("ttH", "probs-ttH")

    def test_kinds_of_systematics(self, parent: Catalog):
        kinds = Counter(type(item) for item in parent.systematics.values())
        assert set(kinds) == {Normalisation, Varied}

    def test_trees_and_friends_of_a_systematic(self, parent: Catalog):
        side = parent.systematics["ATLAS_MU_SCALE"].up
        (file, *_) = parent.files_of("ttH", "probs-ttH", side)
        assert file.tree == "MUON_SCALE__1up"
        assert "Sys7" in file.path.parts
        assert "Sys7" in file.friends[0].parts


def test_the_official_ntuple_example(data_folder: Path):
    _, _, catalog = translated(
        data_folder / TREX / "official_tests/configs/FitExampleNtuple.config"
    )
    assert len(catalog.files_of("data")) == 2
    assert catalog.samples["ttH"].mc_statistics is False
    (file,) = catalog.files_of("ttb", "ljets_5j3b_HT", catalog.systematics["ttb_Gen"].up)
    assert file.path.name == "tt_aMCNloP8.root"
    weight = catalog.weight_of("ttb", "ljets_5j3b_HT", catalog.systematics["ttb_Gen"].up)
    assert weight.endswith("*11000)*(0.5)")
    assert catalog.regions["ljets_6j4b_BDT"].binning.fine.low == -1
