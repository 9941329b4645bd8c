"""The programs that tests compile from the Go module proxy."""

import re
from dataclasses import dataclass
from pathlib import Path

from e2e.toolchain import cache

HERE = Path(__file__).parent
PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
KUBERNETES_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One binary: a package of a module that a small module of ours pins."""

    name: str
    wrapper: str
    module: str
    package: str
    variables: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The module of ours."""
        return HERE / self.wrapper

    @property
    def version(self) -> str:
        """Of the module that holds the package, without its `v`."""
        pinned = (self.folder / "go.mod").read_text()
        found = re.search(rf"\b{re.escape(self.module)} v(\S+)", pinned)
        assert found, f"{self.wrapper}/go.mod does not require {self.module}"
        return found[1]

    @property
    def home(self) -> Path:
        """Its folder in the cache, which another version never has."""
        key = cache.digest(self.folder, repr(self))
        return cache.root() / f"{self.name}-{self.version}-{key}"

    @property
    def linker_flags(self) -> str:
        """No symbols, and the version in the variables that hold it."""
        major, minor, _ = self.version.split(".")
        values = {"version": self.version, "major": major, "minor": minor}
        stamps = [f"-X {variable.format(**values)}" for variable in self.variables]
        return " ".join(["-s", "-w", *stamps])


PULUMI = Tool(
    name="pulumi",
    wrapper="pulumi",
    module="github.com/pulumi/pulumi/sdk/v3",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    variables=(PULUMI_VERSION + "=v{version}",),
)
# The newest language host with a tag, and so on the proxy.
LANGUAGE_HOST = Tool(
    name="pulumi-language-python",
    wrapper="pulumi-language-python",
    module="github.com/pulumi/pulumi/sdk/v3",
    package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
    variables=(PULUMI_VERSION + "=v{version}",),
    scripts=(
        "python/cmd/pulumi-language-python-exec",
        "python/dist/pulumi-resource-pulumi-python",
    ),
)
KUBERNETES = Tool(
    name="kube",
    wrapper="kubernetes",
    module="k8s.io/kubernetes",
    package=".",
    variables=(
        KUBERNETES_VERSION + ".gitVersion=v{version}",
        KUBERNETES_VERSION + ".gitMajor={major}",
        KUBERNETES_VERSION + ".gitMinor={minor}",
        KUBERNETES_VERSION + ".gitTreeState=clean",
    ),
    links=(
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
        "kubectl",
        "kubelet",
    ),
)
ENVOY_GATEWAY = Tool(
    name="envoy-gateway",
    wrapper="envoy-gateway",
    module="github.com/envoyproxy/gateway",
    package="github.com/envoyproxy/gateway/cmd/envoy-gateway",
)
KEDA = Tool(
    name="keda",
    wrapper="keda",
    module="github.com/kedacore/keda/v2",
    package="github.com/kedacore/keda/v2/cmd/operator",
    variables=("github.com/kedacore/keda/v2/version.Version={version}",),
)
KEDA_ADAPTER = Tool(
    name="keda-adapter",
    wrapper="keda",
    module="github.com/kedacore/keda/v2",
    package="github.com/kedacore/keda/v2/cmd/adapter",
    variables=("github.com/kedacore/keda/v2/version.Version={version}",),
)
KEDA_WEBHOOKS = Tool(
    name="keda-webhooks",
    wrapper="keda",
    module="github.com/kedacore/keda/v2",
    package="github.com/kedacore/keda/v2/cmd/webhooks",
    variables=("github.com/kedacore/keda/v2/version.Version={version}",),
)
COREDNS = Tool(
    name="coredns",
    wrapper="coredns",
    module="github.com/coredns/coredns",
    package="github.com/coredns/coredns",
)
HELM = Tool(
    name="helm",
    wrapper="helm",
    module="helm.sh/helm/v3",
    package="helm.sh/helm/v3/cmd/helm",
    variables=("helm.sh/helm/v3/internal/version.version=v{version}",),
)

# In the order in which other parts wait for them.
TOOLS = (
    PULUMI,
    LANGUAGE_HOST,
    KUBERNETES,
    ENVOY_GATEWAY,
    KEDA,
    KEDA_ADAPTER,
    KEDA_WEBHOOKS,
    COREDNS,
    HELM,
)
