"""A stand-in for pulumi-resource-kubernetes: the engine's calls, one method each.

It is used by tests where the real plugin cannot be had. It decides nothing itself: the
API server validates, defaults, merges and refuses.
"""

# ruff: noqa: N802 - the names are those of the protocol

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Never, TypeVar

import grpc
import urllib3
from e2e.provider import VERSION, checkpoint, kubeconfig, objects, settings
from e2e.provider.apiserver import ApiError, ApiServer, NoKindError
from e2e.provider.engine_log import EngineLog
from e2e.provider.resources import PartialError, Resources
from e2e.provider.wire import Object, decode, encode, has_unknown, plain
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

Method = TypeVar("Method", bound=Callable[..., Any])
_REFUSED = (ApiError, NoKindError, ValueError, urllib3.exceptions.HTTPError)


def answering(method: Method) -> Method:
    """Tell the engine what went wrong in words, with what was left behind."""

    @functools.wraps(method)
    def answer(self: "Servicer", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except PartialError as error:
            return _left_behind(error, context)
        except _REFUSED as error:
            return context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return answer  # type: ignore[return-value]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The gRPC service of a resource provider, for plain Kubernetes objects."""

    def __init__(self, log: EngineLog) -> None:
        self._log = log
        self._found: Resources | None = None
        self._unreachable = "it was not configured"
        self._settings = settings.Settings()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:
        schema = json.dumps({"name": "kubernetes", "version": VERSION})
        return provider_pb2.GetSchemaResponse(schema=schema)

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    @answering
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        old, new = plain(decode(request.olds)), plain(decode(request.news))
        diffs = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        unknown = has_unknown(new)
        return provider_pb2.DiffResponse(
            changes=_changes(bool(diffs)),
            diffs=diffs,
            replaces=diffs if unknown else settings.replaced(old, new),
        )

    @answering
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        self._settings = settings.Settings.of(request.variables)
        try:
            self._found = self._connect()
        except (*_REFUSED, OSError) as error:
            self._unreachable = str(error)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            supports_autonaming_configuration=True,
        )

    @answering
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        marked = objects.dashed(decode(request.news))
        item = objects.typed(plain(marked), request.type or _type(request.urn))
        item = self._name(objects.without_read_only(item), request)
        if self._found is None or not isinstance(item["metadata"], dict):
            return _checked(item, marked)
        item = self._found.dry_runs.place(item)
        fault = "" if has_unknown(item) else self._found.dry_runs.validate(item)
        return _checked(item, marked, *([fault] if fault else []))

    @answering
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        item = plain(objects.dashed(decode(request.news)))
        found = self._resources.diff(decode(request.olds), item, request.ignoreChanges)
        detail = {
            path: provider_pb2.PropertyDiff(kind=kind)
            for path, kind in found.kinds.items()
        }
        return provider_pb2.DiffResponse(
            changes=_changes(bool(detail)),
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_first,
            detailedDiff=detail,
            hasDetailedDiff=True,
        )

    @answering
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        if request.preview and self._found is None:
            return provider_pb2.CreateResponse(properties=request.properties)
        identity, state = self._resources.create(
            objects.dashed(decode(request.properties)),
            request.timeout,
            self._log.teller(request.urn),
            preview=request.preview,
        )
        return provider_pb2.CreateResponse(id=identity, properties=encode(state))

    @answering
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        if self._found is None and self._settings.delete_unreachable:
            return provider_pb2.ReadResponse()
        try:
            state, inputs = self._resources.read(
                request.type or _type(request.urn),
                request.id,
                objects.dashed(decode(request.inputs)),
                decode(request.properties),
            )
        except NoKindError:
            return provider_pb2.ReadResponse()
        except ApiError as error:
            if error.code == 404:
                return provider_pb2.ReadResponse()
            raise
        return provider_pb2.ReadResponse(
            id=request.id, properties=encode(state), inputs=encode(inputs)
        )

    @answering
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        state = self._resources.update(
            decode(request.olds),
            objects.dashed(decode(request.news)),
            request.timeout,
            self._log.teller(request.urn),
            preview=request.preview,
        )
        return provider_pb2.UpdateResponse(properties=encode(state))

    @answering
    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        if self._found is None and self._settings.delete_unreachable:
            return empty_pb2.Empty()
        state = decode(request.properties)
        tell = self._log.teller(request.urn)
        self._resources.delete(state, request.timeout, tell)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        if self._found is not None:
            self._found.cancel()
        return empty_pb2.Empty()

    @property
    def _resources(self) -> Resources:
        if self._found is None:
            text = "configured Kubernetes cluster is unreachable: " + self._unreachable
            raise ValueError(text)
        return self._found

    def _connect(self) -> Resources:
        config = kubeconfig.load(self._settings.kubeconfig)
        access = kubeconfig.access(config, self._settings.context)
        if self._settings.namespace:
            access = replace(access, namespace=self._settings.namespace)
        server = ApiServer(access)
        server.reach()
        return Resources(server, self._settings)

    def _name(self, item: Object, request: Any) -> Object:
        """Give an object its old name or a new one, when the program gives none."""
        if objects.is_named(item):
            return item
        if objects.nested(item, "metadata", "generateName"):
            raise ValueError(
                "the `.metadata.generateName` field is not supported in "
                "Server-Side Apply mode"
            )
        old = plain(decode(request.olds))
        if objects.is_set(old, objects.AUTONAMED):
            return objects.named(item, objects.name_of(old))
        proposed: str = request.autonaming.proposed_name
        name = request.urn.rpartition("::")[2]
        return objects.named(
            item, proposed or objects.autoname(name, request.randomSeed)
        )


def _checked(item: Object, marked: Object, *faults: str) -> provider_pb2.CheckResponse:
    return provider_pb2.CheckResponse(
        inputs=encode(checkpoint.secretly(item, marked)),
        failures=[provider_pb2.CheckFailure(reason=fault) for fault in faults],
    )


def _changes(differ: bool) -> provider_pb2.DiffResponse.DiffChanges.ValueType:  # noqa: FBT001
    kinds = provider_pb2.DiffResponse
    return kinds.DIFF_SOME if differ else kinds.DIFF_NONE


def _type(urn: str) -> str:
    """The type token of a resource, without those of its parents."""
    return urn.split("::")[-2].rpartition("$")[2]


def _left_behind(error: PartialError, context: grpc.ServicerContext) -> Never:
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identity,
        properties=encode(error.state),
        inputs=None if error.inputs is None else encode(error.inputs),
        reasons=error.reasons,
    )
    unknown = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=unknown.value[0], message=str(error))
    status.details.add().Pack(detail)
    trailer = ("grpc-status-details-bin", status.SerializeToString())
    context.set_trailing_metadata((trailer,))
    context.abort(unknown, str(error))
