"""The process of a replica that runs the predictor and owns the public address."""
