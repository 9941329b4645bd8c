"""The Open Inference Protocol V2 over REST, with its binary tensor extension.

`routes` is what clients see; `tensors` is how a predictor is called with tensors.
Nothing of it is built before the first request that needs it.
"""
