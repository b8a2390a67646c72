"""What every section of the settings and the rules is built from: strict models, and words that several share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from config.sections.cards import Whole

Tier = Literal["A", "B", "C", "D"]
Scored = Annotated[Literal["account", "opportunity"], Field(description="which records it is about")]
Days = Annotated[Whole, Field(ge=0, le=3650)]
Word = Annotated[str, Field(min_length=1, max_length=255)]  # a value, as the CRM words it


class Strict(BaseModel):
    """Every section: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
