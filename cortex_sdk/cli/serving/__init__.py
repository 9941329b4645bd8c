"""What `cortex serve` runs: a replica in the foreground, without agent and gateway."""
