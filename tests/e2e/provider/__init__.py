"""A stand-in for pulumi-resource-kubernetes, the provider plugin of Pulumi.

The real plugin comes from no package registry. Where `pulumi plugin install resource
kubernetes` does not work, tests run this one, and their report says so.
"""

VERSION = "4.32.0"
"""The version of the real plugin whose place it takes."""
