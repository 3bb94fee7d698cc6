"""What is asked of ROOT about published and simulated files, for `record_root.py`."""

from __future__ import annotations

from tests.events.expressions.root_cases import NOTHING, SMALL

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

# The same, for what loops by itself or is indexed by something computed.
AGGREGATES += [
    (HZZ, "Sum$(Jet_Px)", NOTHING),
    (HZZ, "Sum$(Jet_E>50)", "NJet>0"),
    (HZZ, "Max$(Jet_E)", "Length$(Jet_E)>1"),
    (HZZ, "Min$(Muon_E)", NOTHING),
    (HZZ, "MaxIf$(Jet_E,abs(Jet_Pz)<50)", NOTHING),
    (HZZ, "Alt$(Jet_E[1],-1)", NOTHING),
    (HZZ, "Muon_Px[NMuon-1]", "NMuon>0"),
    (HZZ, "Jet_E", "Jet_E==Max$(Jet_E)"),
    (HZZ, "Jet_E", "Iteration$<2"),
    (HZZ, "Entry$", "Sum$(Muon_Charge)==0"),
    (ZMUMU, "Entry$%7", 'Type=="GG"'),
    (ZMUMU, "TVector2::Phi_mpi_pi(phi1-phi2)", NOTHING),
    (ZMUMU, "TMath::Max(pt1,pt2)", "LocalEntry$<1000"),
    (BASIC, "Sum$(Ai4)-Max$(Ai4)", NOTHING),
    (BASIC, "Ai4[n-1]", "n>0"),
    (BASIC, "Length$(Ai4)", NOTHING),
    (NANO, "Sum$(Jet_pt*(abs(Jet_eta)<2.4&&Jet_pt>30))", NOTHING),
    (NANO, "Sum$(Jet_pt>30&&abs(Jet_eta)<2.4)", "Sum$(Muon_pt>10)>=1"),
    (NANO, "Jet_pt[Muon_jetIdx]", "Muon_jetIdx>=0"),
    (NANO, "GenPart_pdgId[GenPart_genPartIdxMother]", "GenPart_genPartIdxMother>=0"),
    (NANO, "Max$(Jet_pt)", "nJet>0"),
    (NANO, "Alt$(Muon_pt[0],0)+Alt$(Electron_pt[0],0)", NOTHING),
    (NANO, "Jet_pt/Sum$(Jet_pt)", NOTHING),
    (NANO, "Jet_pt", "(Jet_jetId>>1)&1"),
    (PHYSLITE, "Length$(AnalysisJetsAuxDyn.pt)", NOTHING),
    (PHYSLITE, "Sum$(egammaClustersAuxDyn.eta_sampl)", NOTHING),
    (PHYSLITE, "Length$(egammaClustersAuxDyn.eta_sampl)", NOTHING),
    (PHYSLITE, "egammaClustersAuxDyn.eta_sampl[][0]", NOTHING),
    (PHYSLITE, "Max$(egammaClustersAuxDyn.e_sampl[][1])", NOTHING),
    (PHYSLITE, "AnalysisJetsAuxDyn.pt", "AnalysisJetsAuxDyn.pt==Max$(AnalysisJetsAuxDyn.pt)"),
    (DIMUON, "Max$(Muon_pt)", NOTHING),
    (DIMUON, "Sum$(Muon_charge)", "nMuon>=2"),
    (DIMUON, "Sum$(Muon_pt>3&&Muon_tightId)", NOTHING),
    (DIMUON, "MinIf$(Muon_pt,Muon_tightId)", NOTHING),
    (DIMUON, "Jet_pt[Muon_jetIdx]", "Muon_jetIdx>=0"),
    (DIMUON, "Muon_pt", "Muon_pt==Max$(Muon_pt)&&Entry$%3==1"),
    (DIMUON, "Alt$(Jet_pt[0],-1)", "Length$(Jet_pt)<3"),
    (DIMUON, "TVector2::Phi_mpi_pi(Muon_phi[0]-Muon_phi[1])", "nMuon>1"),
    (DIMUON, "Iteration$", "Muon_pt>10"),
    (LQ, "Sum$(jets_pt>25e3)", "Length$(jets_pt)>=2"),
    (LQ, "Sum$(jets_pt)+lep_Pt_0+lep_Pt_1", NOTHING),
    (LQ, "Max$(abs(jets_eta))", "weight_mc"),
    (LQ, "Alt$(jets_pt[3],0)", NOTHING),
    (LQ, "jets_pt[Length$(jets_pt)-1]", "Length$(jets_pt)>0"),
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
