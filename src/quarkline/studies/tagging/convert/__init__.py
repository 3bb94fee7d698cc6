"""Jets of DiVertAnalysis ntuples, as tables of one row a jet."""
