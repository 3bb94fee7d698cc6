"""PhenoML text: real files against a plain parser, physics, and every way a line can be wrong."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.sources import SOURCES, detect, open_source
from quarkline.events.sources import lines as line_source

FILES = ("njets", "ttbar", "z_jets", "gam_jets", "w_jets")
LINE = "7;ttbar;0.5;1000;-3.1;j,5e4,4e4,-1.5,0.25;e-,2e4,1e4,.5,3"


def write_text(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def read(path: Path) -> ak.Array:
    with open_source(path) as source:
        return source.read(list(source.schema.columns))


def plainly(path: Path) -> list[dict[str, object]]:
    """The events by the rule the collection's own scripts follow: `;` is `,`, fives are objects."""
    events = []
    for line in path.read_text().splitlines():
        fields = line.replace(";", ",").rstrip(",").split(",")
        event: dict[str, object] = {"event": int(fields[0]), "process": fields[1]}
        event |= dict(zip(("weight", "MET", "METphi"), map(float, fields[2:5]), strict=True))
        event["obj"] = fields[5::5]
        for at, name in enumerate(("E", "pt", "eta", "phi"), start=6):
            event[name] = [float(text) for text in fields[at::5]]
        events.append(event)
    return events


@pytest.mark.parametrize("name", FILES)
def test_real_files_are_what_a_plain_parser_reads(data_folder, name):
    path = data_folder / "phenoml" / f"{name}_10fb.csv"
    assert detect(path) is SOURCES["phenoml"]
    assert read(path).to_list() == plainly(path)


def test_energies_are_at_least_the_momenta_and_counts_those_of_the_readme(data_folder):
    events = read(data_folder / "phenoml" / "ttbar_10fb.csv")
    momenta = events["pt"] * np.cosh(events["eta"])
    assert ak.all(events["E"] > momenta * (1 - 1e-4))
    codes, counts = np.unique(ak.flatten(events["obj"]).to_numpy(), return_counts=True)
    found = dict(zip(codes.tolist(), counts.tolist(), strict=True))
    assert (found["j"], found["b"], found["g"]) == (74041, 26616, 163)
    assert (found["e-"] + found["e+"], found["m-"] + found["m+"]) == (3114, 3585)


def test_values_keep_their_units(tmp_path):
    with open_source(write_text(tmp_path, LINE)) as source:
        units = {name: column.unit for name, column in source.schema.columns.items()}
    assert {units[name] for name in ("MET", "E", "pt")} == {"MeV"}
    assert {units[name] for name in ("METphi", "phi")} == {"rad"}


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a"])
@pytest.mark.parametrize(
    "line", [LINE, "0;njets;1;2;3;", "  0 ; p 1 ; -1e3 ; .5 ; 3. ; g , 1,2,3,4 ;"]
)
def test_the_first_line_tells_the_format_not_the_name(tmp_path, name, line):
    assert detect(write_text(tmp_path, line + "\n", name)) is SOURCES["phenoml"]


@pytest.mark.parametrize("text", ["x;y\n1;2\n", "1,2\n3,4\n", "0;njets;1;2\n", "0;njets;a;2;3;\n"])
def test_other_text_is_no_event(tmp_path, text):
    path = write_text(tmp_path, text)
    assert not SOURCES["phenoml"].matches(path, text.encode())


@pytest.mark.parametrize("end", ["\n", "\r\n", ";\n", ";;\n", "", " ;\r\n"])
def test_line_ends_blank_lines_and_spaces_do_not_matter(tmp_path, end):
    spaced = LINE.replace(";", " ; ").replace(",", " , ")
    path = write_text(tmp_path, f"{LINE};\n\n \n{spaced}{end}")
    first, second = read(path).to_list()
    assert first == second
    assert first["obj"] == ["j", "e-"]
    assert first["pt"] == [4e4, 1e4]


def test_an_event_without_objects_is_an_event(tmp_path):
    events = read(write_text(tmp_path, f"0;njets;1;2;3;\n{LINE}\n1;njets;1;2;3\n"))
    assert ak.num(events["E"]).to_list() == [0, 2, 0]


WRONG = [
    ("8;ttbar;0.5;1000", "has 4 of 5 event fields"),
    ("8;ttbar;0.5;1000;-3.1;j,5e4,4e4,-1.5", "object `j,5e4,4e4,-1.5` has 4 of 5 fields"),
    ("8;ttbar;0.5;1000;-3.1;j,1,2,3,4,5", "has 6 of 5 fields"),
    ("8;ttbar;0.5;1000;-3.1;;j,1,2,3,4", "has 1 of 5 fields"),
    ("8;ttbar;0.5;1000;-3.1;q,1,2,3,4", "`q` is no object code (j b e- e+ m- m+ g)"),
    ("8;ttbar;0.5;1000;-3.1;j,1,2,three,4", "`eta` is `three`, no number"),
    ("8;ttbar;0.5;1000;-3.1;j,1,,3,4", "`pt` is ``, no number"),
    ("8;ttbar;0.5;1000MeV;-3.1", "`MET` is `1000MeV`, no number"),
    ("8.5;ttbar;0.5;1000;-3.1", "`event` is `8.5`, no number"),
    ("8; ;0.5;1000;-3.1", "`process` is empty"),
]


@pytest.mark.parametrize(("line", "words"), WRONG)
@pytest.mark.parametrize("block", [10, 2**20])
def test_a_wrong_line_is_refused_with_its_number(tmp_path, monkeypatch, line, words, block):
    monkeypatch.setattr(line_source, "BLOCK_BYTES", block)
    path = write_text(tmp_path, f"{LINE}\n\n{LINE};\n{line}\n{LINE}\n")
    with pytest.raises(InputError) as raised:
        open_source(path)
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-015"
    assert words in finding.message
    assert (finding.place.file, finding.place.line) == (path, 4)
    assert finding.place.text == line
