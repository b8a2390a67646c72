"""Deploys: every component of a package is checked, then all or the good ones are saved; each is reported."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.custom_fields import field_id
from connectors.sandbox.salesforce.errors import SalesforceError
from connectors.sandbox.salesforce.ids import long_id, make_id
from connectors.sandbox.salesforce.packages import MANIFEST, Component, Package
from connectors.sandbox.salesforce.xml_trees import is_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from connectors.sandbox.salesforce.components import Components
    from connectors.sandbox.salesforce.org import User

# Fields come before what refers to them.
_ORDER = {"CustomObject": 0, "CustomField": 1}


class Deploys:
    """The deploys of one org. They are done at once; the first look at one finds it done."""

    def __init__(self, components: Components, clock: Callable[[], datetime]) -> None:
        self._components = components
        self._clock = clock
        self._results: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self, content: bytes, options: dict[str, Any], user: User) -> dict[str, Any]:
        """Deploy a zip; returns the whole result. What cannot be deployed is in there."""
        began = _stamp(self._clock())
        with self._lock:
            deploy_id = make_id("0Af", len(self._results) + 1)
            outcome = self._deploy(content, options)
            result = _result(outcome, options) | {
                "completedDate": _stamp(self._clock()),
                "createdBy": user.id,
                "createdByName": user.name,
                "createdDate": began,
                "id": deploy_id,
                "lastModifiedDate": _stamp(self._clock()),
                "startDate": began,
            }
            self._results[deploy_id] = dict(sorted(result.items()))
        return self._results[deploy_id]

    def result(self, deploy_id: str, *, details: bool) -> dict[str, Any]:
        """What became of a deploy. Raises INVALID_CROSS_REFERENCE_KEY for an unknown id."""
        found = self._results.get(long_id(deploy_id) or "")
        if found is None:
            raise SalesforceError("INVALID_CROSS_REFERENCE_KEY", f"invalid deploy id: {deploy_id}")
        return found if details else found | {"details": None}

    def _deploy(self, content: bytes, options: dict[str, Any]) -> _Outcome:
        try:
            package = Package.read(content)
        except SalesforceError as error:
            nothing = Component("", MANIFEST, MANIFEST)
            return _Outcome([], [_failure(nothing, error.message)], stopped=True)
        problems = self._problems(package)
        good = [one for one in _in_order(package) if one not in problems]
        failures = [_failure(one, problem) for one, problem in problems.items()]
        if is_true(options.get("checkOnly")) or (failures and _rolls_back(options)):
            successes = [self._success(one, created=not self._exists(one), changed=False) for one in good]
            return _Outcome(successes, failures, stopped=bool(failures))
        return self._save(good, failures, package.deletions)

    def _save(self, good: list[Component], failures: list[Any], deletions: tuple[Component, ...]) -> _Outcome:
        successes = []
        for component in good:
            try:
                created = self._components.kind(component.type_name).save(
                    component.full_name, component.metadata
                )
            except SalesforceError as error:
                failures.append(_failure(component, error.message))
            else:
                successes.append(self._success(component, created=created, changed=True))
        for component in deletions:
            try:
                self._components.kind(component.type_name).delete(component.full_name)
            except SalesforceError as error:
                failures.append(_failure(component, error.message))
            else:
                successes.append(self._success(component, created=False, changed=False) | {"deleted": True})
        return _Outcome(successes, failures, stopped=False)

    def _problems(self, package: Package) -> dict[Component, str]:
        """Why components cannot be deployed, for those that cannot."""
        found: dict[Component, str] = {one: str(one.problem) for one in package.missing()}
        pending: frozenset[str] = frozenset()
        for component in _in_order(package):
            problem = component.problem or self._problem(component, package, pending)
            if problem:
                found[component] = problem
            else:
                pending |= {component.full_name}
        return found

    def _problem(self, component: Component, package: Package, pending: frozenset[str]) -> str | None:
        if not package.lists(component):
            return "Not in package.xml"
        try:
            kind = self._components.kind(component.type_name)
            kind.check(component.full_name, component.metadata, pending)
        except SalesforceError as error:
            return error.message
        return None

    def _exists(self, component: Component) -> bool:
        return self._components.kind(component.type_name).exists(component.full_name)

    def _success(self, component: Component, *, created: bool, changed: bool) -> dict[str, Any]:
        return _message(component) | {"changed": changed, "created": created, "success": True}


class _Outcome:
    """What became of a deploy's components; `stopped` ones were not saved at all."""

    def __init__(
        self, successes: list[dict[str, Any]], failures: list[dict[str, Any]], *, stopped: bool
    ) -> None:
        self.successes = successes
        self.failures = failures
        self.stopped = stopped

    @property
    def status(self) -> str:
        """The deploy's final state."""
        if not self.failures:
            return "Succeeded"
        return "Failed" if self.stopped or not self.successes else "SucceededPartial"


def _in_order(package: Package) -> list[Component]:
    return sorted(package.components, key=lambda one: _ORDER.get(one.type_name, 2))


def _rolls_back(options: dict[str, Any]) -> bool:
    wanted = options.get("rollbackOnError")
    return wanted is None or is_true(wanted)


def _message(component: Component) -> dict[str, Any]:
    known = component.type_name == "CustomField"
    return {
        "changed": False,
        "componentType": component.type_name,
        "created": False,
        "deleted": False,
        "fileName": component.file_name,
        "fullName": component.full_name,
        **({"id": field_id(component.full_name)} if known else {}),
        "success": False,
    }


def _failure(component: Component, problem: str) -> dict[str, Any]:
    return _message(component) | {
        "columnNumber": 1,
        "lineNumber": 1,
        "problem": problem,
        "problemType": "Error",
    }


def _result(outcome: _Outcome, options: dict[str, Any]) -> dict[str, Any]:
    return {
        "checkOnly": is_true(options.get("checkOnly")),
        "details": {
            "componentFailures": outcome.failures,
            "componentSuccesses": outcome.successes,
            "runTestResult": {"numFailures": 0, "numTestsRun": 0, "totalTime": 0.0},
        },
        "done": True,
        "ignoreWarnings": is_true(options.get("ignoreWarnings")),
        "numberComponentErrors": len(outcome.failures),
        "numberComponentsDeployed": 0 if outcome.stopped else len(outcome.successes),
        "numberComponentsTotal": len(outcome.successes) + len(outcome.failures),
        "numberTestErrors": 0,
        "numberTestsCompleted": 0,
        "numberTestsTotal": 0,
        "rollbackOnError": _rolls_back(options),
        "runTestsEnabled": False,
        "status": outcome.status,
        "success": not outcome.failures,
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
