"""Looking at a cluster, and the few things that are done to it without Pulumi."""
