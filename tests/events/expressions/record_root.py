"""Record what ROOT itself gives for expressions: `python record_root.py [FOLDER WITH DATA]`.

Needs ROOT (`pip install ROOT`) and uproot; writes `root_values.json` beside this file. No case has
`x % 0`, on which ROOT ends the process.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

TABLE = Path(__file__).with_name("root_values.json")
SMALL = "small.root"

JETS = [[31.5, -2.5, 3.25], [], [4.0], [0.0, -1.0], [5.5, 6.5, 7.5, 8.5], [2.0], [], [9.0, 10.0]]
# ROOT reads beyond the end where one column has 1 element and a later one has more.
HITS = [[10, 20], [30], [40], [], [50, 60], [70], [80, 90, 100], [110, 120]]


def write_small(folder: Path) -> Path:
    """Eight events with every kind of column, awkward values included."""
    columns = {
        "i": np.array([-7, -3, 0, 1, 2, 3, 7, 10], np.int32),
        "j": np.array([3, -5, 2, -2, 5, 1, -3, 4], np.int32),
        "u": np.array([0, 1, 2, 3, 4_000_000_000, 5, 6, 7], np.uint32),
        "big": np.array([2**53, 2**53 + 1, 2**53 + 2, -(2**53), 2**62 + 1, 5, 6, 7], np.int64),
        "ubig": np.array([2**63, 2**63 + 2048, 1, 2, 3, 4, 5, 2**53 + 1], np.uint64),
        "byte": np.array([1, -1, 65, 66, -128, 127, 0, 3], np.int8),
        "flag": np.array([1, 0, 1, 1, 0, 0, 1, 0], np.bool_),
        "f": np.array([0.1, 0.2, 0.3, -0.4, 1e30, math.nan, math.inf, 2.5], np.float32),
        "d": np.array([0.5, -1.5, 2.0, 0.0, -0.25, 1.0, 1000.0, -1000.0]),
        "w": np.array([1.0, 0.5, -0.25, 2.0, 0.0, 1.5, 1.0, 0.125]),
        "v": np.arange(24.0).reshape(8, 3),
    }
    jagged = {
        "jets": ak.values_astype(ak.Array(JETS), np.float32),
        "hits": ak.values_astype(ak.Array(HITS), np.int32),
    }
    path = folder / SMALL
    types = {name: np.dtype((value.dtype, value.shape[1:])) for name, value in columns.items()}
    with uproot.recreate(path) as file:
        tree = file.mktree("T", types | {"jets": "var * float32", "hits": "var * int32"})
        tree.extend(columns | jagged)
    return path


NOTHING = ""

# Expression, selection; on the small file, where every value is recorded.
VALUES = [
    # precedence
    ("2^3^2", NOTHING),
    ("2**3**2", NOTHING),
    ("-2^2", NOTHING),
    ("-i^2", NOTHING),
    ("2^-1", NOTHING),
    ("i*-j", NOTHING),
    ("i*-j-1", NOTHING),
    ("i*-2^2", NOTHING),
    ("i--j", NOTHING),
    ("10-3-2", NOTHING),
    ("10-3+2", NOTHING),
    ("i-j+u-byte", NOTHING),
    ("100/10/5", NOTHING),
    ("100/10*5", NOTHING),
    ("3*i/3", NOTHING),
    ("0.1*3*i", NOTHING),
    ("0.1+0.2+0.3*i", NOTHING),
    ("7%4*3", NOTHING),
    ("2*3%4*5", NOTHING),
    ("i*j%4", NOTHING),
    ("7%4%3", NOTHING),
    ("100%7/2", NOTHING),
    ("-i%4", NOTHING),
    ("i%3+1", NOTHING),
    ("!i==j", NOTHING),
    ("!i+1", NOTHING),
    ("!i*3", NOTHING),
    ("!!i", NOTHING),
    ("i==1&j>-3", NOTHING),
    ("i>0|j>0&flag", NOTHING),
    ("5|2==2", NOTHING),
    ("i>0||j>0&&flag", NOTHING),
    ("(i>0||j>0)&&flag", NOTHING),
    ("i+1>j*2", NOTHING),
    ("i>0?1:j>0?2:3", NOTHING),
    ("i>0?j:-j+1", NOTHING),
    ("i&&j?d:w", NOTHING),
    # arithmetic
    ("i/j", NOTHING),
    ("1/2", NOTHING),
    ("i/2", NOTHING),
    ("i/0", NOTHING),
    ("0/0", NOTHING),
    ("1/i", NOTHING),
    ("d/w", NOTHING),
    ("f/0", NOTHING),
    ("1/3*3", NOTHING),
    ("i%3", NOTHING),
    ("i%j", NOTHING),
    ("10%4.9", NOTHING),
    ("10.7%4", NOTHING),
    ("-10%4", NOTHING),
    ("u-5", NOTHING),
    ("-u", NOTHING),
    ("u*u", NOTHING),
    ("big", NOTHING),
    ("big-9007199254740992", NOTHING),
    ("big%2", NOTHING),
    ("ubig", NOTHING),
    ("ubig%1000", "ubig<9e18"),
    ("byte+1", NOTHING),
    ("flag+flag", NOTHING),
    ("flag*d", NOTHING),
    ("-flag", NOTHING),
    ("1e3+.5+5.+1E-1", NOTHING),
    ("0x1F", NOTHING),
    ("pi", NOTHING),
    ("0^0", NOTHING),
    ("0^-1", NOTHING),
    ("(-8)^(1./3)", NOTHING),
    ("d^3", NOTHING),
    ("d^2", NOTHING),
    ("d^0.5", "d>=0"),
    # comparisons and logic
    ("i<j", NOTHING),
    ("i>=j", NOTHING),
    ("i!=j", NOTHING),
    ("f==0.1", NOTHING),
    ("f<0.2", NOTHING),
    ("f>0.2", NOTHING),
    ("f!=f", NOTHING),
    ("f==f", NOTHING),
    ("f>=0", NOTHING),
    ("!f", NOTHING),
    ("f&&1", NOTHING),
    ("f||0", NOTHING),
    ("f?1:2", NOTHING),
    ("i&&j", NOTHING),
    ("i||j", NOTHING),
    ("d&&flag", NOTHING),
    ("big==9007199254740993", NOTHING),
    ("ubig>9223372036854775807", NOTHING),
    ("u>3999999999", NOTHING),
    ("u<-1", NOTHING),
    ("i&3", NOTHING),
    ("i|8", NOTHING),
    ("-1&7", NOTHING),
    ("7&3.9", NOTHING),
    ("u&u-1", NOTHING),
    ('"a"=="a"', NOTHING),
    # functions
    ("abs(i)", NOTHING),
    ("fabs(d)", NOTHING),
    ("abs(f)", NOTHING),
    ("min(i,j)", NOTHING),
    ("max(i,j)", NOTHING),
    ("min(f,1)", NOTHING),
    ("min(1,f)", NOTHING),
    ("max(f,1)", NOTHING),
    ("max(1,f)", NOTHING),
    ("sqrt(d)", NOTHING),
    ("sqrt(f)", NOTHING),
    ("sq(d)", NOTHING),
    ("pow(d,3)", NOTHING),
    ("pow(2,i)", NOTHING),
    ("exp(d)", NOTHING),
    ("exp(f)", NOTHING),
    ("log(d)", NOTHING),
    ("log(f)", NOTHING),
    ("log10(d)", NOTHING),
    ("log2(w)", NOTHING),
    ("sin(d)", NOTHING),
    ("cos(d)", NOTHING),
    ("tan(d)", NOTHING),
    ("asin(d)", NOTHING),
    ("acos(d)", NOTHING),
    ("atan(d)", NOTHING),
    ("atan2(d,w)", NOTHING),
    ("atan2(0,-flag)", NOTHING),
    ("TMath::ATan2(0*d,-d)", NOTHING),
    ("sinh(w)", NOTHING),
    ("cosh(w)", NOTHING),
    ("tanh(d)", NOTHING),
    ("asinh(d)", NOTHING),
    ("acosh(d)", NOTHING),
    ("atanh(d)", NOTHING),
    ("atanh(w)", NOTHING),
    ("hypot(d,w)", NOTHING),
    ("cbrt(d)", NOTHING),
    ("fmod(d,0.3)", NOTHING),
    ("floor(d)", NOTHING),
    ("ceil(d)", NOTHING),
    ("round(d)", NOTHING),
    ("round(i/2)", NOTHING),
    ("trunc(d)", NOTHING),
    ("int(d)", NOTHING),
    ("sign(d)", NOTHING),
    ("TMath::Abs(i)", NOTHING),
    ("TMath::Min(f,1)", NOTHING),
    ("TMath::Max(1,f)", NOTHING),
    ("TMath::Sqrt(d)", NOTHING),
    ("TMath::Power(w,3)", NOTHING),
    ("TMath::Exp(d)", NOTHING),
    ("TMath::Log(d)", NOTHING),
    ("TMath::Log2(d)", NOTHING),
    ("TMath::Log10(d)", NOTHING),
    ("TMath::Sin(d)+TMath::Cos(d)+TMath::Tan(d)", NOTHING),
    ("TMath::ASin(d)", NOTHING),
    ("TMath::ACos(d)", NOTHING),
    ("TMath::ATan(d)", NOTHING),
    ("TMath::ATan2(d,w)", NOTHING),
    ("TMath::SinH(w)+TMath::CosH(w)+TMath::TanH(w)", NOTHING),
    ("TMath::Hypot(d,w)", NOTHING),
    ("TMath::Floor(d)+TMath::Ceil(d)", NOTHING),
    ("TMath::Pi()+TMath::TwoPi()+TMath::E()", NOTHING),
    # instances
    ("jets", NOTHING),
    ("hits", NOTHING),
    ("v", NOTHING),
    ("jets+i", NOTHING),
    ("jets*hits", NOTHING),
    ("jets/hits", NOTHING),
    ("v*jets", NOTHING),
    ("v*hits", NOTHING),
    ("v+i", NOTHING),
    ("jets[0]", NOTHING),
    ("jets[1]", NOTHING),
    ("jets[7]", NOTHING),
    ("v[1]", NOTHING),
    ("i[0]", NOTHING),
    ("jets[0][0]", NOTHING),
    ("jets[0]+hits[1]", NOTHING),
    ("jets[0]+hits", NOTHING),
    ("v[0]*jets", NOTHING),
    ("jets[1]>0?1:0", NOTHING),
    ("i>0?i:jets[2]", NOTHING),
    ("i>0||jets[2]>0", NOTHING),
    ("!(jets[1]>0)", NOTHING),
    ("jets>0&&hits>15", NOTHING),
    ("jets>0||hits>15", NOTHING),
    ("log(jets)", NOTHING),
    ("jets==4", NOTHING),
    ("min(jets,hits)", NOTHING),
    # selections as weights
    ("i", "i>0"),
    ("i", "jets>4"),
    ("i", "jets"),
    ("i", "w"),
    ("d", "d*2"),
    ("i", "f"),
    ("f", "f==f"),
    ("jets", "hits>15"),
    ("jets", "flag"),
    ("jets", "jets>1&&flag"),
    ("jets", "hits[1]>15"),
    ("jets", "w*(jets>1)"),
    ("jets[0]", "hits>10"),
    ("hits[0]", "jets>0"),
    ("i", "jets[1]>0"),
    ("i", "i>0||jets[1]>0"),
    ("i", "!(jets[2]>0)"),
    ("i", "v>10"),
    ("i", "(i>0)*w"),
]

HZZ = "root_samples/uproot-HZZ.root:events"
ZMUMU = "root_samples/uproot-Zmumu.root:events"
BASIC = "root_samples/uproot-sample-6.20.04-uncompressed.root:sample"
NANO = "root_samples/nanoAOD_2015_CMS_Open_Data_ttbar.root:Events"
PHYSLITE = "root_samples/uproot-issue-798.root:CollectionTree"
DOUBLE32 = "root_samples/uproot-demo-double32.root:T"
SCAN = "root_samples/uproot-issue60.root:nllscan"
NTUPLE = "root_samples/uproot-hepdata-example.root:ntuple"
DIMUON = "dimuon_nanoaod/nanoaod_03.root:Events"
LQ = "lq_ntuples/mc20a/p6266/545824.root:nominal"
TRIGGER = "HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx"
OPPOSITE = "nMuon>1&&Muon_charge[0]*Muon_charge[1]<0"
MASS = "sqrt(2*Muon_pt[0]*Muon_pt[1]*(cosh(Muon_eta[0]-Muon_eta[1])-cos(Muon_phi[0]-Muon_phi[1])))"

# File, expression, selection; on files kept elsewhere, where only aggregates are recorded.
AGGREGATES = [
    (HZZ, "NJet", NOTHING),
    (HZZ, "Jet_Px*Jet_Py", NOTHING),
    (HZZ, "sqrt(Muon_Px^2+Muon_Py^2)", "Muon_Charge>0"),
    (HZZ, "Muon_Px", "NMuon>1&&Muon_Charge[0]*Muon_Charge[1]<0"),
    (HZZ, "Muon_E[0]+Muon_E[1]", "Muon_Charge[0]!=Muon_Charge[1]"),
    (HZZ, "MET_px", "Jet_btag>2"),
    (HZZ, "Jet_ID", "Jet_E>50"),
    (HZZ, "atan2(MET_py,MET_px)", "NElectron==0&&NMuon"),
    (ZMUMU, "M", 'Type=="GG"'),
    (ZMUMU, "M", 'Type!="GG"&&M>60'),
    (ZMUMU, "Q1*Q2", NOTHING),
    (ZMUMU, "sqrt((E1+E2)^2-(px1+px2)^2-(py1+py2)^2-(pz1+pz2)^2)", "pt1>20&&pt2>20"),
    (ZMUMU, "abs(eta1-eta2)", "fabs(phi1)<1||Event%2==1"),
    (ZMUMU, "Run", "Event%10==3"),
    (BASIC, "b", NOTHING),
    (BASIC, "u1-300", NOTHING),
    (BASIC, "ab", "b"),
    (BASIC, "Ab&&b", NOTHING),
    (BASIC, "af4*Af4", NOTHING),
    (BASIC, "Af8-af4", "n>1"),
    (BASIC, "Ai4[2]", NOTHING),
    (BASIC, "Au8*u8", NOTHING),
    (BASIC, "i8-u8", NOTHING),
    (BASIC, "n", 'str=="hey-3"'),
    (NANO, "Jet_pt", "abs(Jet_eta)<2.4&&Jet_pt>30"),
    (NANO, "Muon_charge[0]", "nMuon>=2"),
    (NANO, "Jet_pt[0]-Jet_pt[1]", NOTHING),
    (NANO, "GenPart_pdgId%100", "GenPart_pt>10"),
    (NANO, "event", NOTHING),
    (NANO, "Jet_jetId&2", NOTHING),
    (PHYSLITE, "AnalysisJetsAuxDyn.pt/1e3", "abs(AnalysisJetsAuxDyn.eta)<2.5"),
    (PHYSLITE, "AnalysisJetsAuxDyn.pt[0]*1e-3", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl[0]", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl[0][1]", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl*egammaClustersAuxDyn.calEta", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.calEta", "egammaClustersAuxDyn.eta_sampl>1"),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl[1]*egammaClustersAuxDyn.calEta", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.e_sampl", "egammaClustersAuxDyn.calE>2e4"),
    (DOUBLE32, "fD64", "fI8>0.5"),
    (DOUBLE32, "fI16*fR10", NOTHING),
    (SCAN, "nll", "status==0&&mH>125"),
    (SCAN, "mH__up-mH__down", "abs(mu_ggH)<10"),
    (NTUPLE, "sqrt(px*px+py*py)", "pz>1"),
    (NTUPLE, "px", "random*(py<0)"),
    (DIMUON, "Muon_pt", NOTHING),
    (DIMUON, "Muon_pt", "Muon_tightId&&abs(Muon_eta)<1.2"),
    (DIMUON, "Muon_pt[2]", NOTHING),
    (DIMUON, MASS, OPPOSITE),
    (DIMUON, MASS, f"{TRIGGER}&&Muon_tightId[0]&&Muon_tightId[1]&&Muon_pt[0]>=17&&Muon_pt[1]>=8"),
    (DIMUON, "Muon_ip3d*1e4", "Muon_pfRelIso04_all>=0.55"),
    (DIMUON, "MET_pt", "Jet_pt>40&&Jet_btagDeepFlavB>0.3"),
    (DIMUON, "Jet_pt-Jet_mass", "nJet>=2&&!(Jet_qgl<0.5)"),
    (DIMUON, "Muon_jetIdx", "Muon_jetIdx<0||Muon_pt>20"),
    (DIMUON, "event%1000", "run==1"),
    (DIMUON, "Gen_process==553?1:Gen_process==5?2:0", NOTHING),
    (LQ, "met_met/1e3", "(total_charge==2||total_charge==-2)&&nJets_OR>=3"),
    (LQ, "jets_pt[0]", NOTHING),
    (LQ, "lep_Pt_0", "jets_pt>1e5"),
    (LQ, "weight_mc*weight_pileup*xs/totalEventsWeighted", "lep_isTightLH_0&&lep_Pt_0>20e3"),
    (LQ, "DRll01", "weight_mc*(nTaus_OR==1&&l2SS_1tau)"),
    (LQ, "eventNumber", "genEventID%5==0"),
]

# File, expression, selection, bins: contents as ROOT's TH1D has them.
HISTOGRAMS = [
    (SMALL, "jets", NOTHING, (10, 0.0, 10.0)),
    (SMALL, "jets", "w", (7, -1.0, 9.0)),
    (SMALL, "v/10", "w*flag", (23, 0.0, 2.3)),
    (SMALL, "f", "f==f", (3, 0.1, 0.4)),
    (SMALL, "d", NOTHING, (4, -1.5, 2.5)),
    (HZZ, "Muon_Px", "Muon_Charge>0", (20, -50.0, 50.0)),
    (ZMUMU, "M", NOTHING, (25, 60.0, 120.0)),
    (ZMUMU, "M", "(Q1*Q2<0)*pt1", (13, 80.0, 100.0)),
    (NTUPLE, "px", "random", (40, -2.0, 2.0)),
    (DIMUON, MASS, OPPOSITE, (30, 5.0, 16.0)),
    (DIMUON, "PV_npvsGood", NOTHING, (60, 0.0, 60.0)),
    (LQ, "jets_eta", "weight_mc", (24, -2.5, 2.3)),
]


def cases() -> list[dict[str, object]]:
    """All cases, without ROOT's answers."""
    small = [{"file": f"{SMALL}:T", "expression": e, "select": s} for e, s in VALUES]
    large = [{"file": f, "expression": e, "select": s} for f, e, s in AGGREGATES]
    drawn = [
        {"file": f if ":" in f else f"{f}:T", "expression": e, "select": s, "bins": b}
        for f, e, s, b in HISTOGRAMS
    ]
    return small + large + drawn


def main() -> None:
    """Ask ROOT, each case in a forked process."""
    import ROOT

    ROOT.gROOT.SetBatch(True)
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_small(Path(folder))
        for case in cases():
            name = str(case["file"])
            root = Path(folder) if name.startswith(SMALL) else data
            if root is None:
                sys.exit("name the folder with the data: record_root.py FOLDER")
            rows.append(case | answer(ROOT, root, case))
    text = ",\n".join(json.dumps(row, sort_keys=True) for row in rows)
    version = json.dumps(ROOT.__version__)
    TABLE.write_text(f'{{"root": {version}, "cases": [\n{text}\n]}}\n', encoding="utf-8")
    failed = [row for row in rows if "error" in row]
    print(f"{len(rows)} cases, {len(failed)} of them refused by ROOT")  # noqa: T201
    for row in failed:
        print(row)  # noqa: T201


def answer(ROOT, folder: Path, case: dict[str, object]) -> dict[str, object]:
    """What ROOT gives for one case."""
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    name, _, tree_name = str(case["file"]).rpartition(":")
    file = ROOT.TFile.Open(str(folder / name))
    tree = file.Get(tree_name)
    if bins := case.get("bins"):
        return histogram(ROOT, tree, case, bins)
    tree.SetEstimate(tree.GetEntries() + 10)
    if tree.Draw(case["expression"], case["select"], "goff") < 0:
        return {"error": "refused"}
    count = tree.GetSelectedRows()
    if count >= tree.GetEstimate():  # beyond its buffer ROOT hands out garbage
        tree.SetEstimate(count + 10)
        tree.Draw(case["expression"], case["select"], "goff")
    values = column(tree.GetV1(), count)
    weights = column(tree.GetW(), count)
    if name == SMALL:
        return {"values": spelt(values), "weights": spelt(weights)}
    return aggregates(values, weights)


def column(buffer, count: int) -> np.ndarray:
    return np.array([buffer[row] for row in range(count)], dtype=np.float64)


def aggregates(values: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    known = ~np.isnan(values) & ~np.isnan(weights)
    values, nan, weights = values[known], int((~known).sum()), weights[known]
    numbers = {
        "sum": math.fsum(values * weights),
        "sum2": math.fsum(values * values * weights),
        "sum_weights": math.fsum(weights),
        "min": float(values.min()) if len(values) else None,
        "max": float(values.max()) if len(values) else None,
    }
    return {"n": len(values), "nan": nan} | numbers


def histogram(ROOT, tree, case, bins) -> dict[str, object]:
    count, low, high = bins
    ROOT.TH1.SetDefaultSumw2(True)
    drawn = ROOT.TH1D("drawn", "", count, low, high)
    tree.Draw(f"{case['expression']}>>drawn", case["select"], "goff")
    inside = range(1, count + 1)
    return {
        "contents": [drawn.GetBinContent(number) for number in inside],
        "errors": [drawn.GetBinError(number) for number in inside],
        "underflow": drawn.GetBinContent(0),
        "overflow": drawn.GetBinContent(count + 1),
        "mean_inside": drawn.GetMean(),
        "std_inside": drawn.GetStdDev(),
    }


def spelt(numbers: np.ndarray) -> list[float | str]:
    """JSON has no NaN and infinities: they are written as text."""
    return [float(number) if math.isfinite(number) else str(number) for number in numbers]


if __name__ == "__main__":
    main()
