"""What can be done with a config of the study where no torch is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONFIG = "{schema: 1, study: tagging, name: taggers, simulate: {}}"
CODE = """
import sys
from pathlib import Path
from quarkline.engine.core.config import load_config
from quarkline.engine.workflow.run import check_analysis, open_analysis
analysis = open_analysis(load_config(Path(sys.argv[1])))
check_analysis(analysis)
print(*sorted(sys.modules))
"""


def test_a_config_is_planned_without_torch(tmp_path: Path) -> None:
    file = tmp_path / "taggers.yaml"
    file.write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(file)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "quarkline.studies.tagging.stages" in loaded
    assert not loaded & {"torch", "lightning", "matplotlib", "onnx"}
