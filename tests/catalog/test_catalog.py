"""What follows from a catalog for one sample in one region."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quarkline.catalog import Catalog, Uniform, Written
from quarkline.catalog.files import Files, InputFile, input_files
from quarkline.catalog.names import selects
from quarkline.engine.core.findings import InputError
from tests.catalog.conftest import SMALL


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["all"], {"ttH", "ttW", "VV", "fake_e"}),
        (["tt*"], {"ttH", "ttW"}),
        (["*V*", "ttW"], {"ttW", "VV"}),
        (["*_e"], {"fake_e"}),
        (["tt"], set()),
        (["t.H"], set()),
        ([], set()),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_does(patterns, chosen):
    assert {name for name in ("ttH", "ttW", "VV", "fake_e") if selects(patterns, name)} == chosen


class TestWeightAndSelection:
    def test_a_weight_is_the_product_of_all_levels(self, small: Catalog):
        assert small.weight_of("ttbar", "CR") == "(weight_mc * xs)*(weight_pileup)*(sf)*(1.2)"
        assert small.weight_of("lq", "SR") == "(weight_mc * xs)*(weight_pileup)"

    def test_data_weigh_one(self, small: Catalog):
        assert small.weight_of("data", "CR") == "1"

    def test_a_variation_replaces_the_weight_of_the_sample_or_multiplies_all(self, small: Catalog):
        scale = small.systematics["scale"]
        both = "(weight_mc * xs)*(weight_pileup)"
        assert small.weight_of("ttbar", "SR", scale.up) == f"{both}*(1.2)*(up / nominal)"
        assert small.weight_of("ttbar", "SR", scale.down) == f"{both}*(other)"

    def test_what_theory_does_not_normalise_has_only_its_own_weight(self, load):
        text = SMALL.replace("weight: 1.2", "weight: 1.2\n    normalised_by_theory: false")
        assert load(text).validate(Catalog).weight_of("ttbar", "CR") == "(sf)*(1.2)"

    def test_a_selection_joins_all_levels(self, small: Catalog):
        joined = "(quality != 0)&&(score >= 0.2)&&(truth == 6)"
        assert small.selection_of("ttbar", "SR") == joined

    def test_a_sample_may_leave_out_other_cuts_or_a_part_of_them(self, load):
        alone = SMALL.replace("weight: 1.2", "weight: 1.2\n    ignore_selection: true")
        assert load(alone).validate(Catalog).selection_of("ttbar", "SR") == "truth == 6"
        part = SMALL.replace("weight: 1.2", "weight: 1.2\n    ignore_selection: score >= 0.2")
        without = "(quality != 0)&&(1)&&(truth == 6)"
        assert load(part).validate(Catalog).selection_of("ttbar", "SR") == without

    def test_what_a_sample_leaves_out_stays_in_its_own_cut(self, load):
        text = SMALL.replace("weight: 1.2", "weight: 1.2\n    ignore_selection: truth == 6")
        assert "(truth == 6)" in load(text).validate(Catalog).selection_of("ttbar", "SR")

    def test_what_a_systematic_leaves_out_stays_in_its_own_weight(self, small: Catalog):
        up = small.systematics["scale"].up
        weight = small.weight_of("ttbar", "CR", up, ignored=Written("nominal"))
        assert weight == "(weight_mc * xs)*(weight_pileup)*(sf)*(1.2)*(up / nominal)"
        weight = small.weight_of("ttbar", "CR", up, ignored=Written("sf"))
        assert weight == "(weight_mc * xs)*(weight_pileup)*(1)*(1.2)*(up / nominal)"

    def test_scales_are_those_of_luminosity_and_sample(self, load):
        def scales(own: str, sample: str = "ttbar") -> list[float]:
            text = SMALL.replace("weight: 1.2", f"weight: 1.2\n    {own}")
            catalog = load(text.replace("140068.94", "10")).validate(Catalog)
            files = [InputFile(Path(f"{at}.root"), "nominal", number=at) for at in range(3)]
            return catalog.scales_of(sample, files)

        assert scales("scales: 2") == [20, 20, 20]
        assert scales("scales: [2, 3]") == [20, 30, 10]
        assert scales("scales: [2, 3, 4, 5]\n    normalised_by_theory: false") == [2, 3, 4]
        assert scales("scales: 2", "data") == [1, 1, 1]

    def test_all_files_that_a_star_means_have_the_scale_of_their_name(self, load, tmp_path):
        for name in ("a1", "a2", "b"):
            (tmp_path / f"{name}.root").touch()
        catalog = load(SMALL.replace("weight: 1.2", "weight: 1.2\n    scales: [2, 3]"))
        files = input_files([Files(folders=[str(tmp_path)], names=["a*", "b"], trees=["nominal"])])
        found = catalog.validate(Catalog).scales_of("ttbar", files)
        assert [scale / found[0] for scale in found] == [1, 1, 1.5]

    def test_data_are_hidden_where_they_or_the_region_are_blind(self, load):
        catalog = load(SMALL.replace("CR: {", "CR: {blind: true, ")).validate(Catalog)
        assert catalog.hides("data", "CR")
        assert not catalog.hides("data", "SR")
        assert not catalog.hides("ttbar", "CR")

    def test_a_region_may_cut_and_draw_otherwise_for_a_sample(self, load):
        text = SMALL.replace(
            "CR: {role: control,",
            "CR: {role: control, variable_for: {lq: x}, selection_for: {lq: y},",
        )
        catalog = load(text).validate(Catalog)
        assert catalog.selection_of("lq", "CR") == "(quality != 0)&&(y)"
        assert catalog.variable_of("lq", "CR") == "x"
        assert catalog.variable_of("data", "CR") == "pt / 1e3"

    def test_a_place_in_a_weight_is_that_of_the_factor(self, small: Catalog):
        weight = small.weight_of("ttbar", "CR")
        place = weight.within(weight.index("sf"), weight.index("sf") + 2)
        assert place.text[place.column - 1 :].startswith("sf}")


class TestSystematics:
    def test_names_and_patterns_choose_samples_and_regions(self, small: Catalog):
        assert set(small.systematics_of("ttbar", "SR")) == {"lumi", "scale"}
        assert set(small.systematics_of("ttbar", "CR")) == {"lumi"}
        assert set(small.systematics_of("lq", "SR")) == {"lumi"}

    def test_data_have_none(self, small: Catalog):
        assert small.systematics_of("data", "SR") == {}

    def test_reference_samples_have_them_only_if_they_say_so(self, load):
        text = SMALL.replace("  ttbar:\n", "  ttbar:\n    role: reference\n")
        assert load(text).validate(Catalog).systematics_of("ttbar", "SR") == {}
        said = text.replace("role: reference", "role: reference\n    use_systematics: true")
        assert set(load(said).validate(Catalog).systematics_of("ttbar", "SR")) == {"lumi", "scale"}

    def test_a_pair_of_region_and_sample_may_be_left_out(self, load):
        text = SMALL.replace("exclude: CR", "exclude_pairs: [SR:ttbar]")
        catalog = load(text).validate(Catalog)
        assert set(catalog.systematics_of("ttbar", "SR")) == {"lumi"}
        assert set(catalog.systematics_of("ttbar", "CR")) == {"lumi", "scale"}


class TestFiles:
    def test_every_folder_name_and_tree_are_combined(self):
        files = Files(folders=["/a", "/b"], names=["1", "2"], trees=["x", "y"])
        found = [(str(file.path), file.tree) for file in input_files([files])]
        assert len(found) == len(set(found)) == 8
        assert found[:3] == [("/a/1.root", "x"), ("/a/1.root", "y"), ("/a/2.root", "x")]

    def test_the_more_special_level_wins_and_suffixes_add_up(self):
        job = Files(folders="/a/", names="all", trees="nominal")
        region = Files(folder_suffixes=["4j", "5j"], tree_suffixes="/reg")
        sample = Files(names="tt", tree_suffixes="/smp")
        side = Files(name_suffixes="_up", trees="up")
        found = [(str(x.path), x.tree) for x in input_files([job, region, sample, side])]
        assert found == [("/a/4j/tt_up.root", "up/reg/smp"), ("/a/5j/tt_up.root", "up/reg/smp")]

    def test_a_suffix_goes_on_where_the_folder_has_no_slash_at_its_end(self):
        job = Files(folders="/a", names="x", trees="t")
        (file,) = input_files([job, Files(folder_suffixes="_sys")])
        assert str(file.path) == "/a_sys/x.root"

    def test_friends_have_the_names_of_the_files(self, small: Catalog, tmp_path):
        files = small.files_of("lq")
        assert [file.path for file in files] == [
            tmp_path / "ntuples/a/1.root",
            tmp_path / "ntuples/d/1.root",
        ]
        assert [file.friends for file in files] == [
            (tmp_path / "friends/a/1.root",),
            (tmp_path / "friends/d/1.root",),
        ]

    def test_a_variation_has_files_of_its_own(self, small: Catalog, tmp_path):
        (file,) = small.files_of("ttbar", "SR", small.systematics["scale"].down)
        assert file.path == tmp_path / "ntuples/a/2_down.root"

    def test_addresses_stay_addresses(self):
        job = Files(folders="root://host//data/", names="x", trees="t")
        (file,) = input_files([job])
        assert str(file.path).startswith("root:/")


class TestYaml:
    def test_what_is_written_and_read_again_is_equal(self, small: Catalog, load):
        dumped = small.model_dump(mode="json", exclude_unset=True)
        assert load(json.dumps(dumped)).validate(Catalog) == small

    def test_places_do_not_make_catalogs_different(self, small: Catalog, load):
        assert load("\n\n" + SMALL).validate(Catalog) == small

    def test_kinds_choose_the_form(self, small: Catalog):
        assert small.regions["SR"].binning == Uniform(bins=5, low=0, high=1)

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("kind: uniform", "kind: uniforn", "17:15  `regions.SR.binning.kind` = 'uniforn' is"),
            ("high: 1}", "high: 0}", "the range 0 to 0 is empty"),
            ("weight: 1.2", "wieght: 1.2", "10:5  unknown key `wieght`"),
            ("variable: score", "variable: [score]", "a text is needed here"),
            ("role: data", "role: Data", "`samples.data.role` = 'Data' is none of the values"),
            ("kind: normalisation, up: 0.01,", "kind: normalisation,", "lumi.up` is missing"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, load, old, new, message):
        assert old in SMALL
        with pytest.raises(InputError) as caught:
            load(SMALL.replace(old, new)).validate(Catalog)
        assert message in str(caught.value)
