"""`teams:` and `pipelines:` of the rules file: what is other for some of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator
from pydantic_core import core_schema

from config.problems import Fault, Faulty
from config.sections.boosts import Boost
from config.sections.exclusions import Exclusion
from config.sections.growth import Growth
from config.sections.playbook import Step, TaskRule
from config.sections.priority import Needs, Priority
from config.sections.strict import Strict
from config.sections.tiers import AccountValue, Segments, Tiers
from config.sections.win import Win

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler


@dataclass(frozen=True)
class _Some:
    """Some keys of a section: they are checked once they lie over the company's rules.

    In the JSON Schema it is the section itself, so that editors complete its keys.
    """

    of: Any

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        section = handler.generate_schema(self.of)
        return core_schema.any_schema(metadata={"pydantic_js_functions": [lambda _, json: json(section)]})


class PipelineRules(Strict):
    """What is other for the deals of one pipeline; a list, a curve or a card takes the place of the company's."""

    priority: Annotated[Any, _Some(Priority)] = None
    needs: Annotated[Any, _Some(Needs)] = None
    win: Annotated[Any, _Some(Win)] = None
    boosts: Annotated[Any, _Some(tuple[Boost, ...])] = Field(
        default=None, description="points up or down where a condition holds"
    )
    exclude: Annotated[Any, _Some(tuple[Exclusion, ...])] = Field(
        default=None, description="records that are not scored"
    )
    tiers: Annotated[Any, _Some(Tiers)] = None
    playbook: Annotated[Any, _Some(tuple[Step, ...])] = Field(
        default=None, description="suggested next steps: the first whose condition holds"
    )
    tasks: Annotated[Any, _Some(tuple[TaskRule, ...])] = Field(
        default=None, description="what reps are asked to do, and when"
    )

    @field_validator("needs")
    @classmethod
    def _kinds_are_the_companys(cls, value: Any) -> Any:
        kinds = [key for key in ("cases", "urgent") if isinstance(value, dict) and key in value]
        why = "is the same for everybody, as a request is of an account, whose deals may lie in several pipelines"
        if kinds:
            fix = "write it in the company's own `needs:`"
            raise Faulty(*(Fault(f"`{key}` {why}", fix, path=(key,)) for key in kinds))
        return value


class TeamRules(PipelineRules):
    """What is other for the accounts and deals of one team's owners."""

    growth: Annotated[Any, _Some(Growth)] = None
    account_value: Annotated[Any, _Some(AccountValue)] = None
    segments: Annotated[Any, _Some(Segments)] = None
