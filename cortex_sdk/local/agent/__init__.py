"""The background agent: keeps replicas running and the gateway in step with them."""
