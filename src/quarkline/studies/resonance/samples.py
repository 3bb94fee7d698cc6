"""The inputs of a resonance search as samples with event-level cuts, for cut-flows and doctor.

Certified sections and the random `inputs.fraction` are no expressions, and cuts on pairs are on
what only exists once a pair is chosen: those are in the cut-flow of the stage `select`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarkline.engine.core.findings import QuarklineError
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.expressions import nodes, parse
from quarkline.events.schema import Schema
from quarkline.events.sources import open_source
from quarkline.studies.resonance.check_inputs import InputFile
from quarkline.studies.resonance.layout import SECTION, SelectConfig, layout, member_schema


def input_samples(
    named: Mapping[str, Sequence[InputFile]], select: SelectConfig
) -> list[InputSample]:
    """Samples from their files; those without files are left out."""
    return [
        InputSample(
            name,
            tuple(file.path for file in files),
            tree=select.tree,
            columns=_columns(files, select),
            cuts=_cuts(_first_schema(files, select), select),
            identity=tuple(select.identity),
        )
        for name, files in named.items()
        if files
    ]


def _first_schema(files: Sequence[InputFile], select: SelectConfig) -> Schema | None:
    """The columns of the first file that can be read."""
    for file in files:
        try:
            with open_source(file.path, tree=select.tree) as source:
                return source.schema
        except QuarklineError:
            continue  # the study's checks say why
    return None


def _columns(files: Sequence[InputFile], select: SelectConfig) -> tuple[str, ...]:
    """What the selection reads of the first file, and what it needs in any case."""
    section = SECTION if select.certified else ()
    needed = [f"{select.objects}_{name}" for name in ("pt", "eta", "phi", "charge")]
    schema = _first_schema(files, select)
    read = layout(schema, select).columns if schema else []
    return tuple(dict.fromkeys([*select.identity, *select.trigger, *section, *needed, *read]))


def _cuts(schema: Schema | None, select: SelectConfig) -> dict[str, str]:
    """The event-level cuts by the names that the selection stage gives them."""
    pt = f"{select.objects}_pt"
    cuts = {" or ".join(select.trigger): " || ".join(select.trigger)} if select.trigger else {}
    if select.require is None:
        return cuts | {"a pair": f"Length$({pt}) >= 2"}
    require = _in_events(select.require, schema, f"{select.objects}_") if schema else select.require
    return cuts | {f"two {select.objects} with {select.require}": f"Sum$(({require}) != 0) >= 2"}


def _in_events(require: str, schema: Schema, prefix: str) -> str:
    """A selection of single leptons with their variables as the files spell them."""
    members = member_schema(schema, prefix)
    named = [node for node in nodes.walk(parse(require)) if isinstance(node, nodes.Name)]
    starts = {node.span[0] for node in named if node.name in members}
    for start in sorted(starts, reverse=True):
        require = require[:start] + prefix + require[start:]
    return require
