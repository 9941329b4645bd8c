"""Predictors that need no class of the user's, one for each kind of model.

They are predictors like any other: `load_model` loads, `predict` says which model by
`?model=NAME&version=NUMBER`, and takes the only one there is where that is left out.
"""
