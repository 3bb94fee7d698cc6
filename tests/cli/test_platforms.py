"""What native Windows is told."""

from __future__ import annotations

import sys

import pytest

from quarkline.cli.main import main


def test_native_windows_is_refused_in_words_before_any_work(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["quarkline", "simulate", "upsilon", "-o", "events"])
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "QL-RUN-030" in said
    assert "WSL2" in said
    assert not list(tmp_path.iterdir())
