"""The job's histogram files: templates under TRExFitter's names, written whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uproot

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import Finding, InputError, Place
from quarkline.engine.store.atomic import flush, flush_folder
from quarkline.templates.restore import NOT_STORED, read_templates
from quarkline.templates.sets import TemplateSet
from quarkline.templates.store import write_templates
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.outputs.text import UNREADABLE

LETTERS = {"ntuples": "n", "histograms": "h"}
"""What fills the histograms, by what the job reads."""


def write_job_templates(job: Job, templates: TemplateSet) -> list[Path]:
    """Write the templates of a job.

    Args:
        job: The job.
        templates: Its templates.
    """
    folder = job.folder / "Histograms"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as hidden:
        written = write_templates(
            templates,
            job.catalog,
            Path(hidden),
            job.name,
            split=job.split_histograms,
            suffix=job.save_suffix,
        )
        for path in written:
            flush(path)
            path.replace(folder / path.name)
    flush_folder(folder)
    return [folder / path.name for path in written]


def read_job_templates(job: Job) -> TemplateSet:
    """Read the templates of a job, which Quarkline or TRExFitter has written.

    Args:
        job: The job.

    Raises:
        InputError: If a file or a histogram is absent.
    """
    folder = job.histograms
    try:
        return _read(job.catalog, folder, job)
    except InputError as error:
        letter = LETTERS[job.catalog.reads]
        hint = f"run action `{letter}` first, or with it"
        found = [
            replace(one, suggestion=hint, place=_place(job, one))
            if one.code == NOT_STORED.code
            else one
            for one in error.findings
        ]
        raise InputError(*found) from error
    except (OSError, ValueError, KeyError, uproot.DeserializationError) as error:
        message = f"the histograms in {folder} cannot be read: {error}"
        hint = f"run action `{LETTERS[job.catalog.reads]}` again"
        raise InputError(UNREADABLE.finding(message, suggestion=hint)) from error


def _place(job: Job, finding: Finding) -> Place | None:
    """Where the config has the part that is not stored; else the file that lacks it."""
    found = finding.evidence
    return job.file.place(found["part"], found["name"]) if "part" in found else finding.place


def _read(catalog: Catalog, folder: Path, job: Job) -> TemplateSet:
    """From files with the suffix of what is saved; else those without, as TRExFitter reads."""
    try:
        return read_templates(catalog, folder, job.name, suffix=job.save_suffix)
    except InputError:
        if not job.save_suffix:
            raise
        return read_templates(catalog, folder, job.name)
