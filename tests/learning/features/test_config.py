"""Features as a config states them: lists in files, meanings, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.engine.core.config import Config, load_config
from quarkline.engine.core.findings import InputError
from quarkline.engine.store.keys import content_key
from quarkline.learning.features.config import FeaturesConfig
from quarkline.learning.features.spec import Feature, FeatureSpec


class Holder(Config):
    schema_version: int = 1
    features: FeaturesConfig


def read(folder: Path, text: str) -> FeaturesConfig:
    path = folder / "analysis.yaml"
    path.write_text("features:\n" + "\n".join(f"  {line}" for line in text.splitlines()))
    return load_config(path).validate(Holder).features


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    return str(caught.value)


def names(features: tuple[Feature, ...]) -> list[str]:
    return [feature.name for feature in features]


def test_the_lists_of_the_leptoquark_pipeline_are_understood_as_they_are(
    data_folder: Path, tmp_path: Path
) -> None:
    folder = data_folder / "lq" / "data_processing" / "features"
    config = read(
        tmp_path,
        f"use: {folder}/training_features.yaml\n"
        f"categorical: {folder}/categorical.yaml\n"
        f"objects: {{jets: {{features: {folder}/array.yaml, length: 6}}}}\n"
        f"missing: {folder}/invalid.yaml",
    )
    spec = config.spec()
    assert len(config.use) == 48
    assert names(spec.categorical) == [
        "dilep_type",
        "lep_ID_0",
        "lep_ID_1",
        "taus_charge_0",
        "taus_fromPV_0",
        "total_charge",
        "total_leptons",
    ]
    assert names(spec.objects[0].features) == ["jets_eta", "jets_pt", "jets_e", "jets_phi"]
    # 48 listed, 4 of jets, 7 kinds; with 6 jets 68 columns.
    assert len(spec.continuous) == 37
    assert 37 + 7 + 6 * 4 == 68
    ghosts = [str(finding) for finding in config.warnings()]
    assert len(ghosts) == 4 + 9
    assert "categorical.yaml:9:3" in ghosts[1]
    assert "did you mean `taus_charge_0`" in ghosts[1]
    assert any("invalid.yaml:12:7" in text and "`taus_passJVT_0`" in text for text in ghosts)


def test_a_file_is_relative_to_the_file_that_states_it(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "all.yaml").write_text("- HT\n- pt: lep_Pt_0 / 1e3\n- nJets\n")
    (lists / "none.yaml").write_text("-999:\n  - pt\n-1: [nJets]\n")
    spec = read(tmp_path, "use: lists/all.yaml\nmissing: lists/none.yaml").spec()
    assert spec.continuous == (
        Feature("HT", "HT"),
        Feature("pt", "lep_Pt_0 / 1e3", (-999.0,)),
        Feature("nJets", "nJets", (-1.0,)),
    )


def test_a_list_in_a_file_and_one_in_the_config_have_one_content_key(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("# comment\n- HT\n- pt: lep_Pt_0 / 1e3\n")
    by_file = read(tmp_path, "use: all.yaml\nmissing: [-99]")
    inline = read(tmp_path, 'use: [HT, {pt: "lep_Pt_0 / 1e3"}]\nmissing: -99')
    assert by_file == inline
    assert content_key(by_file.model_dump()) == content_key(inline.model_dump())
    other = read(tmp_path, 'use: [HT, {pt: "lep_Pt_0 / 2e3"}]\nmissing: -99')
    assert content_key(by_file.model_dump()) != content_key(other.model_dump())


def test_what_a_config_says_of_itself_is_a_config(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        'use: [HT, {pt: "lep_Pt_0 / 1e3"}, kind]\ncategorical: [kind]\n'
        "subset: [HT, kind, jets_pt]\n"
        "objects: {jets: {features: [jets_pt], length: 3}}\nmissing: {-99: [HT], 1e10: [pt]}",
    )
    again = FeaturesConfig.model_validate(config.model_dump(mode="json"))
    assert again == config
    assert FeatureSpec.from_json(config.spec().as_json()) == config.spec()


def test_values_without_features_are_missing_in_all_of_them(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "use: [HT, kind]\ncategorical: [kind]\nmissing: [-99, -999]\n"
        "objects: {jets: {features: [jets_pt], length: 3}}",
    )
    spec = config.spec()
    every = (*spec.continuous, *spec.categorical, *spec.objects[0].features)
    assert {feature.missing for feature in every} == {(-99.0, -999.0)}


def test_features_of_objects_may_stand_in_use_and_take_their_expression_from_there(
    tmp_path: Path,
) -> None:
    config = read(
        tmp_path,
        'use: [HT, {pt: "jets_pt / 1e3"}]\nobjects: {jets: {features: [pt, jets_eta], length: 2}}',
    )
    spec = config.spec()
    assert spec.continuous == (Feature("HT", "HT"),)
    assert spec.objects[0].features == (
        Feature("pt", "jets_pt / 1e3"),
        Feature("jets_eta", "jets_eta"),
    )


def test_a_subset_keeps_the_order_of_the_list_and_drops_empty_groups(tmp_path: Path) -> None:
    text = (
        "use: [a, b, c, d]\ncategorical: [b, d]\n"
        "objects: {jets: {features: [e, f], length: 2}, taus: {features: [g], length: 1}}\n"
        "subset: [f, d, a]"
    )
    spec = read(tmp_path, text).spec()
    assert names(spec.continuous) == ["a"]
    assert names(spec.categorical) == ["d"]
    assert [(group.name, names(group.features)) for group in spec.objects] == [("jets", ["f"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("use: [HT, met, HT]", "analysis.yaml:2:18  feature `HT` stands twice"),
        ("use: []", "`features.use`"),
        ("use: lists.yaml", "there is no config file"),
        ("use: empty.yaml", "empty.yaml  the file is empty"),
        ("use: text.yaml", "the file holds `HT` and no list"),
        ("use: [HT]\nsubset: [met, HTT]", "2 features that are not listed: `met`, `HTT`"),
        ("use: [HT]\nmissing: {none: [HT]}", "`none` is no number"),
        ("use: [HT]\nmissing: [.nan]", "finite"),
        ("use: [[HT]]", "is no feature"),
        ("use: [HT]\ncategorical: {HT: 1}", "a list of names of features"),
        (
            "use: [HT, k]\ncategorical: [k]\nobjects: {jets: {features: [k], length: 2}}",
            "`k` is a feature of `jets`; it cannot be `categorical`",
        ),
        (
            "use: [HT]\nobjects: {a: {features: [p], length: 2}, b: {features: [p], length: 2}}",
            "`p` is a feature of `a` and `b`",
        ),
        (
            'use: [{p: "a"}]\nobjects: {jets: {features: [{p: "b"}], length: 2}}',
            "`p` is `a` and `b`",
        ),
        (
            "use: [HT, p_1]\nobjects: {jets: {features: [p], length: 2}}",
            "`p_1` is a feature, and what `p` of one of the `jets` is",
        ),
        (
            "use: [HT, p_2]\nobjects: {jets: {features: [p], length: 0}}",
            "greater than or equal to 1",
        ),
        ("use: [HT]\ncategoric: [HT]", "did you mean `categorical`?"),
    ],
    ids=str,
)
def test_what_a_config_cannot_mean_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "text.yaml").write_text("HT\n")
    assert message in refusal(tmp_path, text)


def test_a_mistake_in_a_list_points_into_its_file(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("- HT\n- met\n- HT\n")
    assert "all.yaml:3:3  feature `HT` stands twice" in refusal(tmp_path, "use: all.yaml")
