"""What every study stands on: config, findings, results, content store, compute and workflow."""
