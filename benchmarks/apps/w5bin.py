"""w5bin: a large binary body."""

from cortex_sdk import SyncAPI


class Blob:
    def predict(self, payload: bytes) -> dict[str, int]:
        return {"n": len(payload)}


api = SyncAPI(Blob, name="w5bin")
