from concurrent.futures import ThreadPoolExecutor

from integration.server.replica import running

SOURCE = """
class P:
    def predict(self, payload):
        return payload
"""


def test_classes_are_counted_live_and_what_does_not_fit_is_no_error() -> None:
    monitoring = {"model_type": "classification", "key": "label"}
    with running(SOURCE, monitoring=monitoring) as replica:
        for label in ("rose", "rose", "tulip"):
            assert replica.client.post("/", json={"label": label}).is_success
        headers = {"x-request-id": "unfit"}
        assert replica.client.post("/", json="rose", headers=headers).text == "rose"

        assert replica.metric("cortex_predictions_total", **{"class": "rose"}) == 2
        assert replica.metric("cortex_predictions_total", **{"class": "tulip"}) == 1
        assert replica.metric("cortex_predictions_unmonitored_total") == 1
        line = replica.logged(level="warning", request_id="unfit")
        assert line["event"].endswith("of type str, has no key 'label'")


def test_numbers_are_counted_exactly_under_load() -> None:
    monitoring = {"model_type": "regression"}
    with (
        running(SOURCE, monitoring=monitoring, threads_per_process=4) as replica,
        ThreadPoolExecutor(8) as pool,
    ):
        numbers = range(-100, 101)
        list(pool.map(lambda number: replica.client.post("/", json=number), numbers))

        name = "cortex_prediction_value"
        assert replica.metric(f"{name}_count") == 201
        assert replica.metric(f"{name}_sum") == 0
        assert replica.metric(f"{name}_squares_total") == sum(n * n for n in numbers)
        assert replica.metric(f"{name}_min") == -100
        assert replica.metric(f"{name}_max") == 100


def test_errors_are_no_predictions() -> None:
    source = "class P:\n    def predict(self, payload): raise ValueError\n"
    with running(source, monitoring={"model_type": "regression"}) as replica:
        assert replica.client.post("/", json=1).status_code == 500

        assert replica.metric("cortex_prediction_value_count") == 0
        assert replica.metric("cortex_predictions_unmonitored_total") == 0
