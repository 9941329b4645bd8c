import joblib

from cortex_sdk import SyncAPI


class Iris:
    def __init__(self):
        self.model = joblib.load("iris.joblib")

    def predict(self, payload: list[float]) -> str:
        return str(self.model.predict([payload])[0])


SyncAPI(predictor=Iris).deploy("local")
