#!/usr/bin/env bash
# What must work from a wheel with no extra installed: base_install.sh FOLDER_OF_THE_PROGRAMS
set -euo pipefail
programs=$(realpath "$1")
export PATH="$programs:$PATH"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is not None)'
quarkline --version
quarkline simulate upsilon -o nanoaod --events 2000
quarkline inspect nanoaod/upsilon_00.root >/dev/null
quarkline draw nanoaod/upsilon_00.root Muon_pt --bins 20,0,80
quarkline new demo
if quarkline run demo.yaml 2>said; then
    echo "a study that trains ran without torch"
    exit 1
fi
grep -F 'pip install "quarkline[train]"' said
[ ! -e runs ]
