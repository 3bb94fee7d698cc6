"""Which files are named at which level, as TRExFitter's program has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.catalog import Files, InputFile
from quarkline.catalog.files import input_files

HIGH = Files(folders=["/a", "/b"], names=["f"], trees=["t"])


def paths(*levels: Files, **options: bool) -> list[tuple[str, str]]:
    return [(str(file.path), file.tree) for file in input_files(levels, **options)]


def test_every_folder_with_every_name_and_tree_in_that_order():
    files = Files(folders=["/a", "/b"], names=["f", "g"], trees=["t", "u"])
    order = [(folder, name, tree) for folder in "ab" for name in "fg" for tree in "tu"]
    assert paths(files) == [(f"/{folder}/{name}.root", tree) for folder, name, tree in order]


def test_the_most_special_level_wins_for_each_part_alone():
    sample, variation = Files(names=["s"], folders=["/s"]), Files(trees=["up"], names=["v"])
    assert paths(HIGH, sample, variation) == [("/s/v.root", "up")]


def test_suffixes_of_all_levels_are_combined_the_most_general_first():
    region, sample = Files(folder_suffixes=["/1", "/2"]), Files(folder_suffixes=["x"])
    end = Files(name_suffixes=["_n"], tree_suffixes=["_t"])
    folders = ["/a/1x", "/a/2x", "/b/1x", "/b/2x"]
    assert paths(HIGH, region, sample, end) == [(f"{name}/f_n.root", "t_t") for name in folders]


def test_names_may_be_whole_paths_without_a_folder():
    assert paths(Files(names=["/x/f"], trees=["t"])) == [("/x/f.root", "t")]


def test_a_suffix_alone_is_a_name():
    region, sample = Files(names=["f"], folders=["/a"]), Files(tree_suffixes=["h"])
    assert paths(region, sample) == [("/a/f.root", "h")]


def test_nothing_is_read_without_a_name_or_tree():
    assert paths(Files(folders=["/a"], names=["f"])) == []
    assert paths(Files(folders=["/a"], trees=["t"])) == []


def test_nominal_suffixes_come_last_and_not_with_variations():
    job = Files(folders=["/a"], names=["f"], trees=["h"], nominal_suffixes=["_nominal"])
    sample = Files(tree_suffixes=["_s"])
    assert paths(job, sample) == [("/a/f.root", "h_s_nominal")]
    side = Files(tree_suffixes=["_up"])
    assert paths(job, sample, side, varied=True) == [("/a/f.root", "h_s_up")]


def test_a_pattern_means_the_files_that_are_there(tmp_path):
    for name in ("mc/a1.root", "mc/a2.root", "mc/b.root", "mc/a3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files = Files(folders=[str(tmp_path)], names=["mc/a*"], trees=["t"], friends=["/x"])
    found = input_files([files], friends=True)
    assert [file.path for file in found] == [tmp_path / "mc/a1.root", tmp_path / "mc/a2.root"]
    assert [str(file.friends[0]) for file in found] == ["/x/mc/a1.root", "/x/mc/a2.root"]
    absent = Files(folders=[str(tmp_path)], names=["c*"], trees=["t"])
    assert paths(absent) == [(f"{tmp_path}/c*.root", "t")]


def test_friends_have_the_suffixes_of_the_folders():
    files = Files(folders=["/a"], names=["f"], trees=["t"], friends=["/x"], folder_suffixes=["1"])
    assert input_files([files], friends=True) == [
        InputFile(Path("/a1/f.root"), "t", (Path("/x1/f.root"),))
    ]
    assert input_files([HIGH], friends=True) == [
        InputFile(Path("/a/f.root"), "t"),
        InputFile(Path("/b/f.root"), "t"),
    ]


@pytest.mark.parametrize(
    ("tree", "folder", "read"),
    [
        ("NOSYS/pt", "JES__1up", "JES__1up/pt"),
        ("a/b/pt", "c/d/", "c/d/pt"),
        ("pt", "c", "c/pt"),
        ("NOSYS/pt", "", "pt"),
        ("NOSYS/pt", None, "NOSYS/pt"),
    ],
)
def test_a_folder_in_the_file_stands_in_for_that_of_the_name(tree, folder, read):
    region, side = Files(names=["f"], trees=[tree]), Files(tree_folder=folder)
    assert [file.tree for file in input_files([region, side])] == [read]
