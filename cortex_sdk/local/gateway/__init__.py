"""The gateway: Envoy on loopback, one route per API."""
