"""Layers of a config, and one message for every mistake with its line and the choices there are."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator, model_validator

from quarkline.engine.core.config import Config, ConfigFile, ConfigPath, load_config
from quarkline.engine.core.findings import InputError


class Flow(Config):
    kind: Literal["flow"]
    transforms: int = 6
    flow: float = 1.0  # a key named like its own kind


class Histogram(Config):
    kind: Literal["histogram"]
    bins: int


class Window(Config):
    mass: float
    window: tuple[float, float]

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.window[0] >= self.window[1]:
            message = "Lower edge above the upper one"
            raise ValueError(message)
        return self


class Fit(Config):
    degree: int = Field(5, ge=0, le=9)
    bins: int = 11
    scan: list[float] = Field(default_factory=lambda: [1.0, 0.1])


class Analysis(Config):
    version: Literal[1] = Field(alias="schema")
    name: str
    device: Literal["auto", "cpu", "cuda"] = "auto"
    background: Annotated[Flow | Histogram, Field(discriminator="kind")] = Histogram(
        kind="histogram", bins=3
    )
    resonance: str | Window = "Upsilon"
    fit: Fit = Fit()
    inputs: list[ConfigPath] = Field(default_factory=list)
    windows: dict[str, Window] = Field(default_factory=dict)
    roots: dict[str, ConfigPath] = Field(default_factory=dict)
    compute: dict[str, int] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _not_con(cls, name: str) -> str:
        if name == "con":
            message = "`con` is a device"
            raise ValueError(message)
        return name


HEAD = "schema: 1\nname: x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return file


def load(text: str, *overrides: str, site: str | None = None) -> Analysis:
    file = write("a.yaml", HEAD + textwrap.dedent(text))
    site_file = None if site is None else write("site.yaml", site)
    return load_config(file, site=site_file, overrides=overrides).validate(Analysis)


def messages(text: str, *overrides: str, site: str | None = None) -> list[str]:
    """Each finding as `code place message | suggestion`."""
    with pytest.raises(InputError) as error:
        load(text, *overrides, site=site)
    return [
        f"{finding.code} {finding.place} {finding.message}"
        + (f" | {finding.suggestion}" if finding.suggestion else "")
        for finding in error.value.findings
    ]


def test_a_good_config(folder: Path) -> None:
    config = load("background: {kind: flow, flow: 2}\nfit: {degree: 3}\ninputs: [a.root]\n")
    assert config.background == Flow(kind="flow", flow=2.0)
    assert (config.fit.degree, config.fit.bins) == (3, 11)
    assert config.inputs == [Path("a.root")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "fitt: {degree: 3}\n",
            "QL-CONFIG-002 a.yaml:3:1 unknown key `fitt` | did you mean `fit`?",
        ),
        (
            "fit:\n  degre: 3\n",
            "QL-CONFIG-002 a.yaml:4:3 unknown key `degre` | did you mean `degree`?",
        ),
        (
            "fit: {zzz: 3}\n",
            "QL-CONFIG-002 a.yaml:3:7 unknown key `zzz` | keys allowed here: bins, degree, scan",
        ),
        (
            "background: {kind: flow, bins: 3}\n",
            (
                "QL-CONFIG-002 a.yaml:3:26 unknown key `bins` | "
                "keys allowed here: flow, kind, transforms"
            ),
        ),
        (
            "windows: {a: {mass: 1, window: [1, 2], wind: 3}}\n",
            "QL-CONFIG-002 a.yaml:3:40 unknown key `wind` | did you mean `window`?",
        ),
        (
            "fit: {degree: 12}\n",
            "QL-CONFIG-004 a.yaml:3:7 `fit.degree` = 12: input should be less than or equal to 9",
        ),
        (
            "fit: {degree: high}\n",
            (
                "QL-CONFIG-004 a.yaml:3:7 `fit.degree` = 'high': input should be a valid integer, "
                "unable to parse string as an integer"
            ),
        ),
        ("fit: 3\n", "QL-CONFIG-004 a.yaml:3:1 `fit` = 3: a map of keys is needed here"),
        ("fit:\n", "QL-CONFIG-004 a.yaml:3:1 `fit` = null: a map of keys is needed here"),
        ("inputs: a\n", "QL-CONFIG-004 a.yaml:3:1 `inputs` = 'a': a list is needed here"),
        ("inputs: [a, 3]\n", "QL-CONFIG-004 a.yaml:3:13 `inputs.1` = 3: a path is needed here"),
        ("roots: [a]\n", "QL-CONFIG-004 a.yaml:3:1 `roots` = ['a']: a map of keys is needed here"),
        (
            "fit: {scan: [1, .nan]}\n",
            "QL-CONFIG-004 a.yaml:3:17 `fit.scan.1` = nan: input should be a finite number",
        ),
        (
            "device: gpu\n",
            (
                "QL-CONFIG-004 a.yaml:3:1 `device` = 'gpu' is none of the values allowed | "
                "did you mean `cpu`?"
            ),
        ),
        (
            "device: true\n",
            (
                "QL-CONFIG-004 a.yaml:3:1 `device` = true is none of the values allowed | "
                "values here: auto, cpu, cuda"
            ),
        ),
        (
            "background: {kind: flwo}\n",
            (
                "QL-CONFIG-004 a.yaml:3:14 `background.kind` = 'flwo' is none of the values "
                "allowed | did you mean `flow`?"
            ),
        ),
        (
            "background: {bins: 3}\n",
            (
                "QL-CONFIG-005 a.yaml:3:1 key `background.kind` is missing | "
                "choose one of flow, histogram"
            ),
        ),
        (
            "background: {kind: histogram}\n",
            "QL-CONFIG-005 a.yaml:3:1 key `background.bins` is missing",
        ),
        (
            "background: {kind: flow, flow: x}\n",
            (
                "QL-CONFIG-004 a.yaml:3:26 `background.flow` = 'x': input should be a valid "
                "number, unable to parse string as a number"
            ),
        ),
        (
            "resonance: 3\n",
            (
                "QL-CONFIG-004 a.yaml:3:1 `resonance` = 3: "
                "a text is needed here or a map of keys is needed here"
            ),
        ),
        (
            "resonance: {mass: 9.46, windows: [9, 10]}\n",
            "QL-CONFIG-002 a.yaml:3:25 unknown key `windows` | did you mean `window`?",
        ),
        (
            "resonance: {mass: 9.46, window: [9]}\n",
            "QL-CONFIG-004 a.yaml:3:25 `resonance.window.1`: this item is missing",
        ),
        (
            "resonance: {mass: 9.46, window: [10, 9]}\n",
            "QL-CONFIG-004 a.yaml:3:1 `resonance`: lower edge above the upper one",
        ),
        (
            "windows: {a: {mass: 1, window: [3, 2]}}\n",
            "QL-CONFIG-004 a.yaml:3:11 `windows.a`: lower edge above the upper one",
        ),
    ],
)
def test_one_mistake_is_one_message(folder: Path, text: str, expected: str) -> None:
    assert messages(text) == [expected]


def test_a_missing_key_that_is_misspelt_is_told_once(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        load_config(write("a.yaml", "schema: 1\nnmae: x\n")).validate(Analysis)
    (finding,) = error.value.findings
    assert (finding.code, finding.suggestion) == ("QL-CONFIG-002", "did you mean `name`?")


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("name: x\n", "QL-CONFIG-005", "key `schema` is missing"),
        ("schema: 2\nname: x\n", "QL-CONFIG-004", "`schema` = 2: input should be 1"),
        ("schema: 1\nname: con\n", "QL-CONFIG-004", "`name` = 'con': `con` is a device"),
    ],
)
def test_schema_and_name(folder: Path, text: str, code: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load_config(write("a.yaml", text)).validate(Analysis)
    (finding,) = error.value.findings
    assert (finding.code, finding.message) == (code, message)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    found = messages("fit: {degree: 12, bin: 3}\ndevice: gpu\nbackground: {}\nzzz: 1\n")
    assert [line.split(" ")[0] + line.split("a.yaml")[1].split(" ")[0] for line in found] == [
        "QL-CONFIG-004:3:7",
        "QL-CONFIG-002:3:19",
        "QL-CONFIG-004:4:1",
        "QL-CONFIG-005:5:1",
        "QL-CONFIG-002:6:1",
    ]


def test_a_message_shows_the_line_and_marks_the_key(folder: Path) -> None:
    with pytest.raises(InputError) as error:
        load("fit:\n  degre: 3   # as published\n")
    assert str(error.value) == (
        "QL-CONFIG-002  a.yaml:4:3  unknown key `degre`\n"
        "    4 |   degre: 3   # as published\n"
        "      |   ^^^^^\n"
        "   did you mean `degree`?"
    )


class TestExtends:
    def test_maps_merge_and_lists_replace(self, folder: Path) -> None:
        write("parent.yaml", "fit: {degree: 3, bins: 7, scan: [1, 2, 3]}\nname: parent\n")
        config = load("extends: parent.yaml\nfit: {bins: 9, scan: [4]}\n")
        assert config.fit == Fit(degree=3, bins=9, scan=[4.0])
        assert config.name == "x"

    def test_a_map_of_another_kind_replaces(self, folder: Path) -> None:
        write("parent.yaml", "background: {kind: flow, transforms: 3, flow: 2}\n")
        same = load("extends: parent.yaml\nbackground: {transforms: 4}\n")
        assert same.background == Flow(kind="flow", transforms=4, flow=2.0)
        again = load("extends: parent.yaml\nbackground: {kind: flow, transforms: 4}\n")
        assert again.background == Flow(kind="flow", transforms=4, flow=2.0)
        other = load("extends: parent.yaml\nbackground: {kind: histogram, bins: 4}\n")
        assert other.background == Histogram(kind="histogram", bins=4)

    def test_null_and_scalars_replace_maps(self, folder: Path) -> None:
        write("parent.yaml", "resonance: {mass: 1, window: [0, 2]}\n")
        assert load("extends: parent.yaml\nresonance: Z\n").resonance == "Z"

    def test_grandparents(self, folder: Path) -> None:
        write("old/one.yaml", "fit: {degree: 1, bins: 1}\n")
        write("old/two.yaml", "extends: one.yaml\nfit: {degree: 2}\n")
        assert load("extends: old/two.yaml\n").fit == Fit(degree=2, bins=1)

    def test_paths_resolve_against_the_file_that_states_them(self, folder: Path) -> None:
        write("old/one.yaml", "inputs: [a.root, ../b.root, /c.root, ~/d.root]\n")
        config = load("extends: old/one.yaml\n")
        expected = ["old/a.root", "old/../b.root", "/c.root", str(Path("~/d.root").expanduser())]
        assert [str(path) for path in config.inputs] == expected

    def test_mistakes_are_placed_in_the_file_that_makes_them(self, folder: Path) -> None:
        write("old/one.yaml", "name: y\n\nfit: {degree: 12}\n")
        (found,) = messages("extends: old/one.yaml\nfit: {bins: 3}\n")
        assert found.startswith("QL-CONFIG-004 old/one.yaml:3:7 `fit.degree` = 12")

    def test_places_of_replaced_values_are_forgotten(self, folder: Path) -> None:
        write("parent.yaml", "background:\n  kind: histogram\n  bins: 3\n")
        (found,) = messages("extends: parent.yaml\nbackground: {kind: flow, transforms: x}\n")
        assert found.startswith("QL-CONFIG-004 a.yaml:4:26")
        write("parent.yaml", "background:\n  kind: flow\n  bins: 3\n")
        (found,) = messages("extends: parent.yaml\nbackground: {kind: histogram}\n")
        assert found == "QL-CONFIG-005 a.yaml:4:1 key `background.bins` is missing"

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("extends: [b.yaml]\n", "QL-CONFIG-006 a.yaml:3:1 `extends` takes the name of one"),
            ("extends: a.yaml\n", "QL-CONFIG-006 a.yaml:3:1 circle of `extends`: a.yaml -> a.yaml"),
            ("extends: b.yaml\n", "QL-CONFIG-006 b.yaml:1:1 circle of `extends`: a.yaml -> b.yaml"),
            (
                "extends: nope.yaml\n",
                "QL-CONFIG-003 a.yaml:3:1 there is no config file `nope.yaml`",
            ),
            ("extends: c.yaml\n", "QL-CONFIG-001 c.yaml:2:1 "),
        ],
    )
    def test_bad_parents(self, folder: Path, text: str, expected: str) -> None:
        write("b.yaml", "extends: ./a.yaml\n")
        write("c.yaml", "a: [\n")
        (found,) = messages(text)
        assert found.startswith(expected)


class TestSite:
    def test_a_site_file_wins_over_the_file_and_loses_to_set(self, folder: Path) -> None:
        text, site = "compute: {workers: 1, gpus: 1}\n", "compute: {workers: 2}\n"
        assert load(text, site=site).compute == {"workers": 2, "gpus": 1}
        assert load(text, "compute.workers=3", site=site).compute["workers"] == 3

    def test_a_site_file_sets_no_physics(self, folder: Path) -> None:
        found = messages("", site="compute: {workers: 2}\nfit: {degree: 3}\nextends: b.yaml\n")
        assert [line.split(" | ")[0] for line in found] == [
            "QL-CONFIG-007 site.yaml:2:1 a site file may not set `fit`",
            "QL-CONFIG-007 site.yaml:3:1 a site file may not set `extends`",
        ]

    def test_roots_of_a_site_file_resolve_against_it(self, folder: Path) -> None:
        write("far/site.yaml", "roots: {data: store}\n")
        file = write("a.yaml", HEAD + "inputs: ['${roots.data}/a.root']\n")
        config = load_config(file, site=Path("far/site.yaml")).validate(Analysis)
        assert config.inputs == [folder / "far" / "store" / "a.root"]


class TestSet:
    @pytest.mark.parametrize(
        ("override", "key", "value"),
        [
            ("fit.degree=3", "degree", 3),
            ("fit.scan=[1, 1e-2]", "scan", [1.0, 0.01]),
            ("fit={degree: 2}", "degree", 2),
            (" fit.bins = 4", "bins", 4),
        ],
    )
    def test_values_are_yaml(self, folder: Path, override: str, key: str, value: Any) -> None:
        assert getattr(load("fit: {degree: 7}\n", override).fit, key) == value

    def test_the_last_one_wins(self, folder: Path) -> None:
        assert load("", "fit.degree=3", "fit.degree=4").fit.degree == 4

    def test_paths_resolve_against_the_current_folder(self, folder: Path) -> None:
        assert load("", "inputs=[b.root]").inputs == [folder / "b.root"]

    def test_values_may_hold_equal_signs(self, folder: Path) -> None:
        assert load("", "resonance=a=b").resonance == "a=b"

    @pytest.mark.parametrize(
        ("override", "expected"),
        [
            (
                "fit.degree",
                "QL-CONFIG-008 None cannot read `--set fit.degree` | write --set key=value",
            ),
            ("=3", "QL-CONFIG-008 None cannot read `--set =3` | write --set key=value"),
            ("fit..bins=3", "QL-CONFIG-008 None cannot read `--set fit..bins=3` | "),
            ("fit=[1", "QL-CONFIG-008 --set fit=[1 cannot read the value: "),
            ("fit.degree=12", "QL-CONFIG-004 --set fit.degree=12 `fit.degree` = 12: "),
            ("fit.scan=[1, x]", "QL-CONFIG-004 --set fit.scan=[1, x] `fit.scan.1` = 'x': "),
            ("fit.degre=3", "QL-CONFIG-002 --set fit.degre=3 unknown key `degre` | did you mean"),
            ("fitt.degree=3", "QL-CONFIG-002 --set fitt.degree=3 unknown key `fitt` | did you"),
            ("fit={degre: 3}", "QL-CONFIG-002 --set fit={degre: 3} unknown key `degre` | did you"),
        ],
    )
    def test_mistakes_name_the_option(self, folder: Path, override: str, expected: str) -> None:
        (found,) = messages("fit: {degree: 3, scan: [1, 2]}\n", override)
        assert found.startswith(expected)


class TestRoots:
    def test_a_root_is_replaced_by_its_path(self, folder: Path) -> None:
        file = write(
            "deep/a.yaml",
            HEAD + "roots: {data: store, abs: /data}\n"
            "inputs: ['${roots.data}/a.root', '${roots.abs}/b.root', '${roots.abs}${roots.abs}']\n",
        )
        config = load_config(file).validate(Analysis)
        expected = [folder / "deep/store/a.root", Path("/data/b.root"), Path("/data/data")]
        assert config.inputs == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (
                "roots: {data: x}\ninputs: ['${roots.date}/a']\n",
                (
                    "QL-CONFIG-009 a.yaml:4:10 `${roots.date}` names no storage root | "
                    "did you mean `roots.data`?"
                ),
            ),
            (
                "inputs: ['${HOME}/a']\n",
                (
                    "QL-CONFIG-009 a.yaml:3:10 `${HOME}` names no storage root | "
                    "there are no roots here"
                ),
            ),
            (
                "roots: {data: x}\nresonance: '${roots.data'\n",
                (
                    "QL-CONFIG-009 a.yaml:4:1 `${roots.data` names no storage root | "
                    "did you mean `roots.data`?"
                ),
            ),
            (
                "roots: {a: x, b: '${roots.a}/y'}\n",
                (
                    "QL-CONFIG-009 a.yaml:3:15 root `b` = '${roots.a}/y' refers to another root | "
                    "write the whole path"
                ),
            ),
        ],
    )
    def test_what_is_no_root_is_told(self, folder: Path, text: str, expected: str) -> None:
        assert messages(text) == [expected]


def test_an_absent_key_is_placed_at_its_nearest_parent() -> None:
    file = write_nothing({"a": {"b": 1}})
    assert str(file.place("a", "b", "c")) == "x.yaml"


def write_nothing(data: dict[str, Any]) -> ConfigFile:
    return ConfigFile(Path("x.yaml"), "", data, {})


trees = st.recursive(
    st.integers() | st.text("abc", max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)
maps = st.dictionaries(st.sampled_from("abcd"), trees, max_size=4)


def flat(tree: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(tree, dict):
        return {at: tree}
    parts = [flat(value, (*at, key)) for key, value in tree.items()]
    return {at: {}} if not tree else {path: leaf for part in parts for path, leaf in part.items()}


@given(parent=maps, child=maps)
def test_every_leaf_of_the_child_wins(
    parent: dict[str, Any], child: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    (folder / "p.yaml").write_text(f"{parent!r}\n")
    (folder / "c.yaml").write_text(f"{child | {'extends': 'p.yaml'}!r}\n")
    merged = flat(load_config(folder / "c.yaml").data)
    for at, leaf in flat(child).items():
        if at and leaf != {}:
            assert merged[at] == leaf
    for at in merged:
        assert at in flat(child) or at in flat(parent)
