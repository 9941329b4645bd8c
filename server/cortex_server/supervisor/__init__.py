"""The small process of a replica that never runs user code.

It starts the worker, answers on the admin address, writes the log, and sees the
replica out. It imports little and late, so that it costs a start almost nothing.
"""
