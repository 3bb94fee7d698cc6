"""Where work runs: local workers, a cluster or batch arrays; sole owner of thread counts."""
