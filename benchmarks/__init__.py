"""What bio-sync costs, beside the floor and beside what its users would use instead; `python -m benchmarks`."""
