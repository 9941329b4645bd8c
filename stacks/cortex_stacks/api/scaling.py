"""How many replicas there are: KEDA, on the requests that are in flight."""

from cortex_stacks.api.metadata import Manifest, metadata
from cortex_stacks.api.network import admin_name
from cortex_stacks.api.pod.container import ADMIN
from cortex_stacks.api.quantity import milli
from cortex_stacks.args import Scaling, SyncAPIArgs

_TICK = 15
"""Seconds between two looks of the HorizontalPodAutoscaler, Kubernetes' default."""
_LONGEST_PERIOD = 3600
"""Seconds: the most that Kubernetes looks back."""
TOLERANCES = "HPAConfigurableTolerance"
"""Feature of clusters that take tolerances of the API's own, else it is 10 %."""


def scaled_object(args: SyncAPIArgs) -> Manifest:
    """The scaler; also of an API of a fixed size, whose number nobody else sets."""
    scaling = args.scaling
    # A look that fails three times must never be a reason for fewer replicas.
    fallback = {
        "failureThreshold": 3,
        "replicas": scaling.min_replicas,
        "behavior": "currentReplicasIfHigher",
    }
    behavior = _behavior(scaling, has_tolerances=TOLERANCES in args.features)
    waits = {"pulumi.com/waitFor": "condition=Ready"}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata(args, annotations=waits),
        "spec": {
            "scaleTargetRef": {"name": args.name},
            "minReplicaCount": scaling.min_replicas,
            "maxReplicaCount": scaling.max_replicas,
            "pollingInterval": _TICK,
            "fallback": fallback,
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
            "triggers": [_prometheus(args) if scaling.prometheus else _replicas(args)],
        },
    }


def _replicas(args: SyncAPIArgs) -> Manifest:
    """Ask each replica.

    The mean over those that answer, times the ready ones: with the sum, one that is
    too busy to answer would count as idle. The port in the URL is the container's,
    which KEDA looks for among the endpoints of the Service.
    """
    scaling = args.scaling
    host = f"{admin_name(args)}.{args.namespace}.svc:{ADMIN}"
    question = {
        "url": f"http://{host}/in-flight/{scaling.window:g}",
        "valueLocation": "in_flight",
        "targetValue": f"{scaling.target:g}",
        "aggregateFromKubeServiceEndpoints": "true",
        "aggregationType": "average",
    }
    return {"type": "metrics-api", "metricType": "Value", "metadata": question}


def _prometheus(args: SyncAPIArgs) -> Manifest:
    """Ask a Prometheus that scrapes the replicas.

    Most add the namespace as a label; where none does, names of APIs must be unique.
    """
    question = {
        "serverAddress": f"{args.scaling.prometheus}",
        "query": _query(args),
        "threshold": f"{args.scaling.target:g}",
        # No data is no zero: then the fallback holds.
        "ignoreNullValues": "false",
    }
    return {"type": "prometheus", "metricType": "AverageValue", "metadata": question}


def _query(args: SyncAPIArgs) -> str:
    """Mean of the requests in flight, and what those would be that were refused."""
    which = f'{{api="{args.name}",namespace=~"{args.namespace}|"}}'
    series = f"{which}[{args.scaling.window:g}s]"
    rates = {
        "refused": f"sum(rate(cortex_refused_requests_total{series}))",
        "seconds": f"sum(rate(cortex_request_duration_seconds_sum{series}))",
        "answers": f"sum(rate(cortex_request_duration_seconds_count{series}))",
    }
    refused = "{refused} * {seconds} / clamp_min({answers}, 1e-9)".format(**rates)
    in_flight = f"sum(avg_over_time(cortex_in_flight_requests{series}))"
    return f"{in_flight} + ({refused} or vector(0))"


def _behavior(scaling: Scaling, *, has_tolerances: bool) -> Manifest:
    up, down = scaling.max_upscale_factor - 1, 1 - scaling.max_downscale_factor
    rules = {
        "scaleUp": _rules(up, scaling.upscale_stabilization_period),
        "scaleDown": _rules(down, scaling.downscale_stabilization_period),
    }
    if has_tolerances:
        rules["scaleUp"]["tolerance"] = milli(scaling.upscale_tolerance)
        rules["scaleDown"]["tolerance"] = milli(scaling.downscale_tolerance)
    return rules


def _rules(step: float, period: float) -> Manifest:
    """At most a share of the replicas at a time, and one replica always."""
    policies = [{"type": "Pods", "value": 1, "periodSeconds": _TICK}]
    if percent := round(step * 100):
        by_share = {"type": "Percent", "value": percent, "periodSeconds": _TICK}
        policies.insert(0, by_share)
    return {
        "stabilizationWindowSeconds": min(round(period), _LONGEST_PERIOD),
        "selectPolicy": "Max",
        "policies": policies,
    }
