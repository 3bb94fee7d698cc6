"""The published data of the Upsilon search, by part."""

from __future__ import annotations

from quarkline.engine.store.datasets import DataPart, DataSet, OpenDataRecord, ZenodoRecord

UPSILON_CMS = DataSet(
    name="upsilon-cms",
    title="CMS Open Data of the Upsilon search: double-muon events of Run2016H, 13 TeV",
    parts=(
        DataPart(
            name="pickles",
            holds="muons and jets of validated events, two pickles for each of 28 files",
            size="56 files, about 3 to 5 GB",
            record=ZenodoRecord(14618719),
            pattern="all_*",
            index=r"all_(?:mu|jet)_(.+)",
            next_step="quarkline convert pickle '{folder}/all_*' -o events",
        ),
        DataPart(
            name="nanoaod",
            holds="the NanoAOD files as the experiment published them",
            size="28 files of 1 to 2 GB",
            record=OpenDataRecord(30555),
            pattern="*.root",
            next_step="quarkline run upsilon.yaml --set inputs.files='{folder}/*.root'",
        ),
        DataPart(
            name="luminosity",
            holds="the list of validated luminosity sections of 2016",
            size="less than 1 MB",
            record=OpenDataRecord(14220),
            pattern="*.txt",
            next_step="quarkline run upsilon.yaml --set inputs.certified={folder}/LIST.txt",
        ),
    ),
)
