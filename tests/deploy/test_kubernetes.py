"""Kubernetes: objects that fit the API's schemas, pods that fit the strictest profile, names that meet each other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import typer.main
import yaml

from config.rules import load_rules
from config.sections.secret import Secret
from config.settings import load_settings
from sync.cli.options import app
from tests.deploy.dockerfile import stages

BASE = (
    "backfill.yaml",
    "deployment.yaml",
    "disruption-budget.yaml",
    "network-policy.yaml",
    "service-account.yaml",
    "service.yaml",
)
EXAMPLE = ("database-network-policy.yaml", "namespace.yaml")
SETTINGS = ("kubernetes/base/foretag.yaml", "kubernetes/overlays/example/foretag.yaml")
CHECKED = (
    *(f"kubernetes/base/{name}" for name in (*BASE, "kustomization.yaml", "foretag.yaml", "rules.yaml")),
    *(
        f"kubernetes/monitoring/{name}.yaml"
        for name in ("kustomization", "service-monitor", "prometheus-rule")
    ),
    *(f"kubernetes/overlays/example/{name}" for name in EXAMPLE),
    *(f"kubernetes/overlays/example/{name}.yaml" for name in ("kustomization", "foretag", "rules")),
)
OBJECTS = (
    *(f"kubernetes/base/{name}" for name in BASE),
    *(f"kubernetes/overlays/example/{name}" for name in EXAMPLE),
    *(f"kubernetes/monitoring/{name}.yaml" for name in ("service-monitor", "prometheus-rule")),
)
DEPLOY = Path(__file__).parents[2] / "deploy"
ROOM = DEPLOY / "kubernetes"
# The oldest that has all we use (`unhealthyPodEvictionPolicy`), and the newest that is known here.
VERSIONS = ("1.27", kubernetes_validate.latest_version())
# Before that its kustomize knows neither components nor labels that stay out of selectors.
KUBECTL = (1, 27)
# Of the Prometheus operator's own kinds, what we use of monitoring.coreos.com/v1: anything else is a slip of the pen.
OPERATOR = json.loads((Path(__file__).parent / "operator.schema.json").read_text())


def documents(text):
    """The objects of a YAML text."""
    return [one for one in yaml.safe_load_all(text) if one]


def kustomized(name):
    """What `kubectl apply -k` would send."""
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("needs kubectl: not here")
    told = json.loads(subprocess.check_output([found, "version", "--client", "--output=json"]))[
        "clientVersion"
    ]
    if (int(told["major"]), int(re.match(r"\d+", told["minor"]).group())) < KUBECTL:
        pytest.skip("needs kubectl: 1.27 or newer")
    done = subprocess.run(
        [found, "kustomize", str(ROOM / name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return documents(done.stdout)


@pytest.fixture(scope="module")
def base():
    """The base as it comes out of kustomize, by kind and name."""
    return by_name(kustomized("base"))


@pytest.fixture(scope="module")
def example():
    """The example of an overlay as it comes out of kustomize."""
    return by_name(kustomized("overlays/example"))


def by_name(objects):
    """Objects by kind and name, without the digest that kustomize adds."""
    return {(one["kind"], re.sub(r"-[a-z0-9]{10}$", "", one["metadata"]["name"])): one for one in objects}


def pods(objects):
    """The templates of pods, by kind."""
    return {
        "Deployment": objects["Deployment", "foretag"]["spec"]["template"],
        "CronJob": objects["CronJob", "foretag-backfill"]["spec"]["jobTemplate"]["spec"]["template"],
    }


def fits(one):
    """Fail if an object does not fit its schema."""
    if one["apiVersion"].startswith("monitoring.coreos.com/"):
        jsonschema.validate(one, OPERATOR)
        return
    for version in VERSIONS:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("name", OBJECTS)
def test_each_object_fits_the_api(name):
    """By the schemas of the oldest and the newest Kubernetes; no key that they do not know."""
    for one in documents((DEPLOY / name).read_text()):
        fits(one)


def test_a_wrong_key_would_be_found():
    """The schemas are strict."""
    (one,) = documents((ROOM / "base" / "service.yaml").read_text())
    one["spec"]["publishNotReadyAdresses"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        fits(one)


def test_what_kustomize_makes_of_it_fits_the_api(base, example):
    """Base and overlay, all objects."""
    for one in (*base.values(), *example.values()):
        fits(one)
    assert {kind for kind, _ in base} == {
        "ConfigMap", "CronJob", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount",
    }  # fmt: skip
    assert {kind for kind, _ in example} - {kind for kind, _ in base} == {
        "Namespace", "PrometheusRule", "ServiceMonitor",
    }  # fmt: skip


def test_pods_fit_the_restricted_profile(base):
    """Nobody, without rights, on a root that is read-only, with nothing of the node, and unknown to the cluster."""
    user = stages(DEPLOY / "Dockerfile")[-1].all("USER")[0].text.split(":")
    for template in pods(base).values():
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert [str(spec["securityContext"][name]) for name in ("runAsUser", "runAsGroup")] == user
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {key for volume in spec["volumes"] for key in volume} <= {
            "name",
            "configMap",
            "secret",
            "emptyDir",
        }
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert "env" not in container


def test_each_mount_has_its_volume_and_all_that_is_written_is_one(base):
    """The settings' state folder and /tmp can be written; settings and secrets only read."""
    for template in pods(base).values():
        (container,) = template["spec"]["containers"]
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert {mount["name"] for mount in mounts.values()} == set(volumes)
        writable = {path for path, mount in mounts.items() if not mount.get("readOnly")}
        assert writable == {load_settings(ROOM / "base" / "foretag.yaml").state.parent.as_posix(), "/tmp"}
        assert volumes["secrets"]["secret"] == {"secretName": "foretag", "defaultMode": 0o440}
        assert volumes["settings"]["configMap"]["name"].startswith("foretag-")


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_and_rules_are_good_and_name_secrets_by_their_mount(name):
    """As `foretag check` reads them; several replicas need history and local copies that all of them see."""
    settings = load_settings(DEPLOY / name)
    assert settings.history is not None
    assert settings.storage is not None
    for connection in settings.connections.values():
        load_rules(connection.rules)
    secrets = list(secrets_of(settings))
    assert secrets
    assert {secret.file.parent.as_posix() for secret in secrets} == {"/run/secrets/foretag"}


def secrets_of(model):
    """Every `Secret` of the settings."""
    if isinstance(model, Secret):
        yield model
        return
    values = (
        model.values()
        if isinstance(model, dict)
        else dict(model).values()
        if hasattr(model, "model_fields_set")
        else ()
    )
    for value in values:
        yield from secrets_of(value)


def test_the_worker_listens_where_it_is_asked(base):
    """Port, probes, service and network policy mean the same; a stop waits longer than a run may take to park."""
    settings = load_settings(ROOM / "base" / "foretag.yaml")
    spec = base["Deployment", "foretag"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    (port,) = container["ports"]
    assert settings.service.listen == f"0.0.0.0:{port['containerPort']}"
    probes = {
        name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }
    (served,) = base["Service", "foretag"]["spec"]["ports"]
    (way_in,) = base["NetworkPolicy", "foretag"]["spec"]["ingress"]
    assert served["targetPort"] == way_in["ports"][0]["port"] == port["name"]
    assert spec["terminationGracePeriodSeconds"] >= settings.service.grace.total_seconds() + 15


def test_selectors_find_the_pods_that_they_are_for(base, example):
    """The budget and the service are for workers, the network policy for backfills, too."""
    workers, backfills = (pods(base)[kind]["metadata"]["labels"] for kind in ("Deployment", "CronJob"))
    deployment, service = base["Deployment", "foretag"]["spec"], base["Service", "foretag"]
    for selector in (
        deployment["selector"]["matchLabels"],
        deployment["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
        base["PodDisruptionBudget", "foretag"]["spec"]["selector"]["matchLabels"],
        service["spec"]["selector"],
    ):
        assert selector.items() <= workers.items()
        assert not selector.items() <= backfills.items()
    policy = base["NetworkPolicy", "foretag"]["spec"]["podSelector"]["matchLabels"]
    assert policy.items() <= workers.items()
    assert policy.items() <= backfills.items()
    monitor = example["ServiceMonitor", "foretag"]["spec"]
    labels = example["Service", "foretag"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["jobLabel"]] == "foretag"
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_old_and_new_versions_never_run_side_by_side(base):
    """The history's tables move forward at the start; an old version refuses newer ones."""
    assert base["Deployment", "foretag"]["spec"]["strategy"] == {"type": "Recreate"}
    assert base["Deployment", "foretag"]["spec"]["replicas"] > 1


def test_what_containers_are_told_to_do_is_what_the_command_line_knows(base):
    """Commands and options, read as they will be; the settings file is where it is mounted."""
    commands = typer.main.get_command(app).commands
    for template in pods(base).values():
        word, *rest = template["spec"]["containers"][0]["args"]
        with commands[word].make_context(word, rest) as context:
            assert str(context.params["settings"]) == "/etc/foretag/foretag.yaml"


def test_only_https_and_the_database_can_be_reached_and_no_private_address(base):
    """Not the cloud's metadata, not the neighbours."""
    rules = base["NetworkPolicy", "foretag"]["spec"]["egress"]
    (world,) = [rule for rule in rules if any("ipBlock" in to for to in rule["to"])]
    assert [port["port"] for port in world["ports"]] == [443, 5432]
    kept_out = {cidr for to in world["to"] for cidr in to["ipBlock"]["except"]}
    assert {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} <= kept_out


def test_the_overlay_puts_its_own_in_place(example):
    """Namespace of the strictest profile, replicas, image, settings with secrets of their own."""
    assert {
        one["metadata"].get("namespace") for (kind, _), one in example.items() if kind != "Namespace"
    } == {"foretag"}
    labels = example["Namespace", "foretag"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert example["Deployment", "foretag"]["spec"]["replicas"] == 3
    images = {pod["spec"]["containers"][0]["image"] for pod in pods(example).values()}
    assert images == {"registry.example.com/foretag:0.1.0"}
    assert pods(example)["CronJob"]["spec"]["containers"][0]["args"][-1] == "--connection=north"
    assert "north_client_id" in example["ConfigMap", "foretag"]["data"]["foretag.yaml"]
