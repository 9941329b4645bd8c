"""Turn a Python class into a production HTTP API.

    class Iris:
        def __init__(self, config):
            self.model = joblib.load("iris.joblib")

        def predict(self, payload: list[float]) -> int:
            return int(self.model.predict([payload])[0])

    SyncAPI(predictor=Iris).deploy("local")

A declaration is a value; `deploy` brings a target into the declared state.
"""

from typing import TYPE_CHECKING

from cortex_sdk._deferred import deferred, is_replica
from cortex_sdk.errors import (
    CortexError,
    DeployError,
    InvalidSpecError,
    MissingExtraError,
    NotFoundError,
    PredictError,
    TargetError,
    UnsupportedError,
)

if TYPE_CHECKING or not is_replica():
    from cortex_sdk.declaration.autoscaling import Autoscaling
    from cortex_sdk.declaration.models import ModelPath, Models
    from cortex_sdk.declaration.post_predict import PostPredict
    from cortex_sdk.declaration.settings import (
        CORS,
        ApiKeys,
        Batching,
        Compute,
        Monitoring,
        Networking,
        UpdateStrategy,
    )
    from cortex_sdk.declaration.sync_api import SyncAPI
    from cortex_sdk.declaration.traffic_splitter import Rule, Sticky, TrafficSplitter
    from cortex_sdk.kubernetes.target import Kubernetes
else:
    Autoscaling = deferred("Autoscaling", "autoscaling")
    ModelPath = deferred("ModelPath", "models")
    Models = deferred("Models", "models")
    PostPredict = deferred("PostPredict", "post_predict")
    CORS = deferred("CORS", "settings")
    ApiKeys = deferred("ApiKeys", "settings")
    Batching = deferred("Batching", "settings")
    Compute = deferred("Compute", "settings")
    Monitoring = deferred("Monitoring", "settings")
    Networking = deferred("Networking", "settings")
    UpdateStrategy = deferred("UpdateStrategy", "settings")
    SyncAPI = deferred("SyncAPI", "sync_api")
    Rule = deferred("Rule", "traffic_splitter")
    Sticky = deferred("Sticky", "traffic_splitter")
    TrafficSplitter = deferred("TrafficSplitter", "traffic_splitter")
    Kubernetes = deferred("Kubernetes", "target", "kubernetes")

__all__ = [
    "CORS",
    "ApiKeys",
    "Autoscaling",
    "Batching",
    "Compute",
    "CortexError",
    "DeployError",
    "InvalidSpecError",
    "Kubernetes",
    "MissingExtraError",
    "ModelPath",
    "Models",
    "Monitoring",
    "Networking",
    "NotFoundError",
    "PostPredict",
    "PredictError",
    "Rule",
    "Sticky",
    "SyncAPI",
    "TargetError",
    "TrafficSplitter",
    "UnsupportedError",
    "UpdateStrategy",
]
