"""The local target: replicas on this machine, kept by an agent, behind Envoy."""
