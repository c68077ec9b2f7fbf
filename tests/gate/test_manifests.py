"""Manifests as they are in the wild: what is deployed is found in whatever holds it, and near misses are named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from console.gate.manifests import Workload, read_manifests

OURS = """
{seamwatch.dev/owner: owner@example.org, seamwatch.dev/version: "1.0", seamwatch.dev/config-digest: "sha256:aa"}
""".strip()
LABEL = "{seamwatch.dev/system: triage}"
DEPLOYMENT = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: triage}}
spec: {{template: {{metadata: {{labels: {LABEL}, annotations: {OURS}}}}}}}
"""

KINDS = {
    "knative": f"""
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: triage}}
spec: {{template: {{metadata: {{labels: {LABEL}, annotations: {OURS}}}}}}}
""",
    "kserve": f"""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: triage, labels: {LABEL}}}
spec: {{predictor: {{annotations: {OURS}, model: {{}}}}}}
""",
    "argo rollout": DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout"),
    "argo workflow": f"""
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {{name: nightly}}
spec: {{workflowSpec: {{templates: [{{name: a}}, {{name: b, metadata: {{labels: {LABEL}, annotations: {OURS}}}}}]}}}}
""",
    "cron job": f"""
kind: CronJob
metadata: {{name: nightly}}
spec: {{jobTemplate: {{spec: {{template: {{metadata: {{labels: {LABEL}, annotations: {OURS}}}}}}}}}}}
""",
    "list": f"kind: List\nitems: [{{kind: Pod, metadata: {{labels: {LABEL}, annotations: {OURS}}}}}]",
    "a list of deployments": f"kind: DeploymentList\nitems: [{{metadata: {{labels: {LABEL}, annotations: {OURS}}}}}]",
    "json": '{"kind":"Pod","metadata":{"labels":{"seamwatch.dev/system":"triage"},"annotations":'
    '{"seamwatch.dev/owner":"owner@example.org","seamwatch.dev/version":"1.0",'
    '"seamwatch.dev/config-digest":"sha256:aa"}}}',
    "a byte order mark": "\ufeff" + DEPLOYMENT,
    "carriage returns": DEPLOYMENT.replace("\n", "\r\n"),
    "an alias": f"metadata: {{annotations: &ours {OURS}, labels: {LABEL}}}\n"
    "spec: {template: {metadata: {annotations: *ours}}}",
    "a merge": f"x: &ours {OURS}\nmetadata: {{labels: {LABEL}, annotations: {{<<: *ours, other: y}}}}",
    "unrelated documents": "--- # nothing\n---\nkind: Secret\n"
    "data: {a: !!binary aGVsbG8=, t: 2026-01-01, n: 1.10, o: 0o17, y: yes, z: !Ref here}\n---\n[1, 2]\n---\ntext\n---"
    + DEPLOYMENT
    + "---\nnull\n",
}


def read(tmp_path: Path, text: str | bytes) -> tuple[list[Workload], list[tuple[int, str, str]]]:
    """The workloads that name a system, and the findings of file and objects."""
    file = tmp_path / "manifest.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    workloads, findings = read_manifests([str(file)])
    odd = [*findings, *(finding for workload in workloads for finding in workload.odd)]
    return [w for w in workloads if w.said], [(finding.line, finding.reason, finding.remedy) for finding in odd]


@pytest.mark.parametrize("name", KINDS)
def test_what_is_deployed_is_found_in_every_kind_of_object(tmp_path: Path, name: str) -> None:
    (workload,), findings = read(tmp_path, KINDS[name])
    assert findings == []
    assert [workload.get(said) for said in ("system", "owner", "version", "config-digest", "use-case")] == [
        "triage", "owner@example.org", "1.0", "sha256:aa", None
    ]  # fmt: skip


def test_a_chart_of_many_megabytes_is_read(tmp_path: Path) -> None:
    other = "---\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  text: |\n" + "    some words of a long text\n" * 1_500
    begun = time.monotonic()
    (workload,), findings = read(tmp_path, other * 60 + "---" + DEPLOYMENT)
    assert (workload.get("system"), findings) == ("triage", [])
    assert time.monotonic() - begun < 60


def test_aliases_of_aliases_cost_no_more_than_their_text(tmp_path: Path) -> None:
    layers = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
    (workload,), findings = read(tmp_path, "\n".join(layers) + f"\nmetadata: {{labels: {LABEL}}}")
    assert (workload.get("system"), findings) == ("triage", [])


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("seamwatch.dev/config_digest", "did you mean seamwatch.dev/config-digest?"),
        ("seamwatch.dev/ownr", "did you mean seamwatch.dev/owner?"),
        ("seamwatch.dev/Version", "did you mean seamwatch.dev/version?"),
        ("seamwatch.io/system", "did you mean seamwatch.dev/system?"),
        ("seamwatch/use-case", "did you mean seamwatch.dev/use-case?"),
        ("seamwatch.dev/zzz", "those are seamwatch.dev/system, "),
    ],
)
def test_a_key_that_is_nearly_ours_is_named_with_the_nearest(tmp_path: Path, key: str, remedy: str) -> None:
    _, findings = read(tmp_path, f"metadata:\n  labels:\n    seamwatch.dev/system: triage\n    {key}: x\n")
    ((line, reason, said),) = findings
    assert (line, reason) == (4, f"{key} is none of the names that are read")
    assert said.startswith(remedy)


def test_items_of_a_list_that_name_systems_are_workloads_of_their_own(tmp_path: Path) -> None:
    workloads, _ = read(
        tmp_path,
        f"metadata: {{annotations: {OURS}}}\nspec:\n  predictors:\n"
        "    - {labels: {seamwatch.dev/system: triage}}\n"
        '    - {labels: {seamwatch.dev/system: shadow}, annotations: {seamwatch.dev/use-case: "testing"}}\n',
    )
    assert [(w.get("system"), w.get("use-case"), w.get("version")) for w in workloads] == [
        ("triage", None, "1.0"), ("shadow", "testing", "1.0")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: b\nmetadata: {{ .Values.name }}\n  b: {{- include x }}", 2, "it cannot be read as YAML"),
        ("a: b\nc: *nothing", 2, "*nothing names nothing that was said before"),
        (b"a: b\nc: \xff\xfe", 2, "it is not UTF-8 text"),
        ("a: b\nc: \x07", 2, "it cannot be read as YAML"),
        ("[" * 20_000, 1, "it cannot be read as YAML"),
    ],
)
def test_what_is_no_yaml_is_named_by_its_line(tmp_path: Path, text: str | bytes, line: int, said: str) -> None:
    _, ((found, reason, _),) = read(tmp_path, text)
    assert reason.startswith(said)
    assert found >= line
