"""Every check of a catalog finds what it is for, and nothing in a sound one."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.catalog.checks import Note, check_catalog
from quarkline.catalog.checks.texts import read_loosely
from quarkline.engine.core.findings import Finding, InputError, Place, Severity
from quarkline.events.schema import Column, Schema
from tests.catalog.conftest import SMALL

COLUMNS = (
    "quality",
    "weight_mc",
    "xs",
    "weight_pileup",
    "truth",
    "pt",
    "sf",
    "up",
    "nominal",
    "other",
)
YEARS = "(40e3*(RunYear==2015||RunYear==2016)+99e3*(RunYear==2017))/139e3"


@pytest.fixture
def check(load):
    def check(*changes: tuple[str, str], **options) -> list[Finding]:
        text = SMALL
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = load(text)
        options = {"schema_of": None, **options}
        return check_catalog(file.validate(Catalog), file.place, **options)

    return check


def test_a_sound_analysis_has_no_findings(check):
    assert check() == []


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("[tt*]", "[ttbra]", "QL-CATALOG-001", "there is no sample `ttbra`"),
        ("exclude: CR", "exclude: CR2", "QL-CATALOG-001", "there is no sample or region `CR2`"),
        ("poi: mu", "poi: mu_lq", "QL-CATALOG-002", "no norm factor is named `mu_lq`"),
        ("max: 5}", "max: 5, constant: true}", "QL-CATALOG-002", "is held constant at 1"),
        ("{samples: lq,", "{samples: ttbar,", "QL-CATALOG-002", "`mu` scales no signal"),
        ("truth == 6", "truth", "QL-CATALOG-010", "`truth` multiplies the weight by its value"),
        ("truth == 6", "truth > 6 && truth < 5", "QL-EXPR-007", "can never be true"),
        ("weight_pileup", f'"{YEARS}"', "QL-CATALOG-011", "add up to 139,000, and the analysis is"),
        ("friends: friends", "friends: f/nominal", "QL-CATALOG-021", "ends in `nominal`"),
    ],
)
def test_one_thing_wrong_is_one_finding_at_its_line(check, old, new, code, message):
    (found,) = check((old, new))
    assert found.code == code
    assert message in found.message
    assert found.place.line in {
        number for number, line in enumerate(SMALL.splitlines(), start=1) if old in line
    }


def test_an_expression_that_is_none_is_told_once_for_all_samples_it_weighs(check):
    (found,) = check(("weight_mc * xs", "weight_mc * * xs"))
    assert found.severity is Severity.ERROR
    assert found.place.line == 3
    assert found.place.label == "weight `generator`"


def test_a_region_without_data_that_asks_for_them(check):
    (found,) = check(("{role: data, ", "{"), ("CR: {", "CR: {data: observed, "))
    assert found.code == "QL-CATALOG-003"
    assert "region `CR` asks for observed data, and no sample is data" in found.message


def test_a_sample_without_the_friends_that_others_have_is_told_once(check):
    (found,) = check(('truth == 6"\n    use_friends: true', 'truth == 6"'))
    assert found.code == "QL-CATALOG-020"
    assert "`ttbar` reads no friends, and 2 others in region `SR` do" in found.message


def test_years_of_another_unit_or_other_sums_are_left_alone(check):
    assert check(("weight_pileup", '"((n==0)*1.0+(n==1)*0.9)*w"')) == []
    assert check(("weight_pileup", '"(40.07e3*(y==1)+99998.94*(y==2))/140068.94"')) == []


def test_a_weight_that_is_no_column_is_a_note_and_one_below_zero_an_error(check):
    bare = ('weights: {generator: "weight_mc * xs", pileup: weight_pileup}', "weights: {}")
    found = {item.severity for item in check(bare)}
    assert found == {Severity.NOTE}
    messages = [item.message for item in check(bare, ("weight: 1.2", "weight: -1.2"))]
    assert "every event of sample `ttbar` weighs -1.2" in messages
    errors = [
        item.code
        for item in check(bare, ("weight: 1.2", "weight: 0"))
        if item.severity is Severity.ERROR
    ]
    assert errors == ["QL-CATALOG-012"]


def test_a_constant_beyond_the_bins_is_in_the_overflow(check):
    bins = "binning: {kind: uniform, bins: 1, low: 0, high: 1}"
    (found,) = check(("variable: pt / 1e3", f"variable: 1, {bins}"))
    assert found.code == "QL-CATALOG-013"
    assert check(("variable: pt / 1e3", f"variable: 0.5, {bins}")) == []


class TestCutsAgainstTexts:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("Events with a score below 0.5 are cut.", True),
            ("The score is cut at 0.2, and the mass at 91.2 GeV.", False),
            ("Events with a score below 0.2 are cut.", False),
            ("We train for 0.5 hours. The score is cut.", False),
            ("Jets are cut at |eta| < 0.5.", False),
            ("Its score is 0.5 on average.", False),
        ],
    )
    def test_a_sentence_about_the_same_cut_says_the_same_number(self, check, text, told):
        note = Note(text, Place(Path("README.md"), 7, 1, 1, text))
        found = check(notes=[note])
        assert [item.code for item in found] == ["QL-CATALOG-014"] * told
        if told:
            assert "cuts `score` at 0.2, and README.md:7:1 says 0.5" in found[0].message

    def test_a_label_is_such_a_text_for_its_own_region(self, check):
        (found,) = check(("variable: score", "variable: score\n    label: score > 0.3"))
        assert "small.yaml:17:5 says 0.3" in found.message
        assert check(("CR: {", "CR: {label: score < 0.3, ")) == []


class TestFiles:
    @pytest.fixture
    def there(self, tmp_path: Path) -> list[Path]:
        """Empty files where the analysis expects them; what they hold is said elsewhere."""
        names = ["a/1", "d/1", "a/2", "data15", "a/2_down"]
        paths = [tmp_path / kind / f"{name}.root" for kind in FOLDERS for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return paths

    def test_all_there_with_all_branches(self, check, there):
        assert check(schema_of=schema_of) == []

    def test_no_file_at_all_is_one_finding_about_the_folder(self, check):
        (found,) = check(schema_of=schema_of)
        assert found.code == "QL-CATALOG-032"
        assert "none of 4 files is below" in found.message

    def test_absent_files_are_counted_by_sample(self, check, there):
        there[0].unlink()
        (found,) = check(schema_of=schema_of)
        assert found.severity is Severity.WARNING
        assert "sample `lq`: 1 of 2 files are not there: ntuples/a/1.root" in found.message

    def test_a_sample_without_files_is_an_error(self, check, there):
        there[2].unlink()
        (found,) = check(schema_of=schema_of)
        assert (found.code, found.severity) == ("QL-CATALOG-031", Severity.ERROR)
        assert found.place.line == 9

    def test_all_absent_files_are_one_finding_and_all_samples_without_any_another(
        self, check, there
    ):
        for path in (there[0], there[2], there[3]):
            path.unlink()
        files, samples = check(schema_of=schema_of)
        assert files.message == (
            "3 of 4 files are not there: `lq` 1 of 2, and all 2 of samples that have none"
        )
        assert samples.message == "2 samples have no file: `ttbar`, `data`"
        absent = {**files.evidence["absent"], **samples.evidence["absent"]}
        assert sorted(path for paths in absent.values() for path in paths) == sorted(
            str(there[number]) for number in (0, 2, 3)
        )

    @pytest.mark.parametrize(
        ("allowed", "severities", "said"),
        [
            (3, [Severity.WARNING, Severity.WARNING], False),
            (2, [Severity.ERROR, Severity.ERROR], True),
            (0, [Severity.ERROR, Severity.ERROR], True),
        ],
    )
    def test_files_may_be_absent_up_to_a_number(self, check, there, allowed, severities, said):
        for path in (there[0], there[2], there[3]):
            path.unlink()
        found = check(schema_of=schema_of, allow_missing=allowed)
        assert [item.severity for item in found] == severities
        assert (f"; {allowed} may be absent" in found[0].message) is said

    def test_an_absent_file_of_a_systematic_is_told_if_its_nominal_one_is_there(self, check, there):
        there[4].unlink()
        (found,) = check(schema_of=schema_of)
        assert "systematic `scale`, down: 1 file is not there" in found.message
        assert found.place.line == 29
        there[2].unlink()
        assert [item.code for item in check(schema_of=schema_of)] == ["QL-CATALOG-031"]

    def test_friends_of_other_events_are_told_by_their_number(self, check, there):
        def of_a_skim(path: Path, tree: str) -> Schema:
            return schema_of(path, tree, entries=3 if "friends" in path.parts else 5)

        found = check(schema_of=of_a_skim)
        assert {item.code for item in found} == {"QL-EVENTS-071"}
        assert "friends/a/1.root has 3 entries and its file 5" in found[0].message

    def test_samples_of_several_productions_are_told_with_their_names(self, check, there):
        def moved(path: Path, folder: str) -> None:
            target = path.parent / folder / path.name
            target.parent.mkdir(exist_ok=True)
            path.rename(target)

        for path in (*there[0:2], *there[5:7]):
            moved(path, "p6266")
        for path in (there[2], there[4], there[7], there[9]):
            moved(path, "p5855")
        (found,) = check(
            ("[a/1, d/1]", "[a/p6266/1, d/p6266/1]"),
            ("{names: a/2}", "{names: a/p5855/2}"),
            ("a/2_down", "a/p5855/2_down"),
            schema_of=schema_of,
        )
        assert found.code == "QL-CATALOG-070"
        assert "from 2 productions: p5855 (`ttbar`), p6266 (`lq`)" in found.message

    def test_a_sample_whose_trees_are_empty_is_an_error(self, check, there):
        def none_in_lq(path: Path, tree: str) -> Schema:
            return schema_of(path, tree, entries=0 if path.name == "1.root" else 5)

        (found,) = check(schema_of=none_in_lq)
        assert "sample `lq`: the trees of its 2 files hold no events" in found.message

    def test_a_branch_missing_in_one_of_many_files_is_named_with_the_file(self, check, there):
        def without_truth(path: Path, tree: str) -> Schema:
            return schema_of(path, tree, lacks=("truth",) if path == there[2] else ())

        (found,) = check(schema_of=without_truth)
        assert "no column `truth` (in ntuples/a/2.root)" in found.message
        assert found.place.line == 11

    def test_a_misspelt_branch_is_one_finding_with_its_near_miss(self, check, there):
        (found,) = check(("xs", "xsec"), ("score >= 0.2", "scor >= 0.2"), schema_of=schema_of)[:1]
        assert "did you mean" in found.suggestion

    def test_weights_of_systematics_are_looked_up_too(self, check, there):
        (found,) = check(("up / nominal", "upp / nominal"), schema_of=schema_of)
        assert found.code == "QL-EXPR-001"
        assert "no column `upp` (in ntuples/a/2.root)" in found.message
        assert found.place.label == "weight factor up of systematic `scale`"

    @pytest.mark.parametrize(
        ("columns", "code", "message", "suggestion"),
        [
            ("{pt: pt * 1.02}", None, "", ""),
            ("{pt: ptt * 1.02}", "QL-EXPR-001", "no column `ptt`", "`pt`"),
            ("{qualty: quality + 1}", "QL-CATALOG-071", "no column `qualty` to", "`quality`"),
            ("{pt: pt * * 2}", "QL-EXPR-002", "`*` stands", ""),
        ],
    )
    def test_shifted_columns_are_expressions_of_columns_that_are_there(
        self, check, there, columns, code, message, suggestion
    ):
        change = ("{weight_factor: up / nominal}", f"{{columns: {columns}}}")
        found = check(change, schema_of=schema_of)
        assert {item.code for item in found} == ({code} if code else set()), found
        for item in found:
            assert message in item.message
            assert suggestion in (item.suggestion or "")
            assert item.place.line == 28

    def test_friends_that_are_absent_are_told_once(self, check, there):
        for path in there[5:]:
            path.unlink()
        (found,) = check(schema_of=schema_of)
        assert found.code == "QL-CATALOG-033"
        assert "4 files have no friend below" in found.message

    def test_a_file_that_cannot_be_read_is_a_finding(self, check, there):
        def broken(path: Path, tree: str) -> Schema:
            if path == there[3]:
                raise InputError(Finding("QL-X", Severity.ERROR, "is damaged", "rule"))
            return schema_of(path, tree)

        (found,) = check(schema_of=broken)
        assert found.message.startswith("is damaged (in ")
        assert found.message.endswith("ntuples/data15.root)")

    def test_real_files_are_read(self, check, there):
        codes = {item.code for item in check()}
        assert codes == set()  # files are left alone where no reader is given


FOLDERS = ("ntuples", "friends")


def schema_of(path: Path, tree: str, *, lacks: tuple[str, ...] = (), entries: int = 5) -> Schema:
    """The columns of host files, or the score in friends."""
    assert tree == "nominal"
    names = ["score"] if "friends" in path.parts else [x for x in COLUMNS if x not in lacks]
    return Schema({name: Column(name, "float32") for name in names}, entries, tree)


@pytest.mark.parametrize("text", ["x[0] > 3", "@x.size() > 1", "Sum$(x) + y", "Entry$ % 2 == 0"])
def test_expressions_are_read_without_files(text):
    assert read_loosely(text).text == text
