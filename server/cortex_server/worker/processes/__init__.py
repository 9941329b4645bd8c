"""Several predictor processes behind one public address.

The worker owns the public address, the queue and the account, and holds no predictor.
It starts the predictor processes, hands calls to the one that has least to do, and
starts another when one has died. The two sides talk in frames over a socket pair.
"""
