"""The Kubernetes target."""
