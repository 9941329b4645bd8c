"""Predictors that need no class of your own.

from cortex_sdk import SyncAPI
from cortex_sdk.predictors import Onnx

SyncAPI(predictor=Onnx("iris.onnx")).deploy("local")
"""

from cortex_sdk.declaration.built_in import Onnx, Sklearn, TensorFlow, TorchScript

__all__ = ["Onnx", "Sklearn", "TensorFlow", "TorchScript"]
