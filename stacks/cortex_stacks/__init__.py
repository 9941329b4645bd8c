"""Pulumi components and programs: data in, resources out.

They know nothing of verbs, of the command line, or of the SDK that calls them.
"""
