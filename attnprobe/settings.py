"""The base of all settings: frozen, unknown names refused, errors in one sentence a setting.

A field declares what it allows in words (:func:`setting`); that text is used in the docs and in
the error alike, so the two cannot drift apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from attnprobe.errors import AttnprobeError, brief, did_you_mean, shown

__all__ = ["Settings", "setting"]


def setting(default: Any, meaning: str, allowed: str, **limits: Any) -> Any:
    """A field with its meaning (units included) and, in words, what it allows."""
    return Field(default, description=meaning, json_schema_extra={"allowed": allowed}, **limits)


class Settings(BaseModel):
    """Frozen, validated settings whose errors say what was given, what is allowed, what to do."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_given(cls, value: Any, info: ValidationInfo) -> Any:
        """Neither text nor a truth is taken for a number."""
        number = not isinstance(cls.model_fields[info.field_name or ""].default, str)
        parts = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(part, bool | bytes | (str if number else bool)) for part in parts):
            raise ValueError
        return value

    if not TYPE_CHECKING:  # type checkers and editors see the fields' own signature

        def __init__(self, **data: Any) -> None:
            try:
                super().__init__(**data)
            except ValidationError as error:
                raise AttnprobeError(_sentences(type(self), error)) from None


def _sentences(owner: type[Settings], error: ValidationError) -> str:
    """One sentence for each setting that was refused."""
    fields = owner.model_fields
    said: dict[str, str] = {}
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            said[name] = (
                f"Unknown setting {shown(name)}.{did_you_mean(name, fields)} Settings are: {', '.join(fields)}."
            )
        elif name in fields:
            extra = fields[name].json_schema_extra
            allowed = extra["allowed"] if isinstance(extra, dict) else "see the documentation"
            given = brief(problem["input"] if len(problem["loc"]) == 1 else f"...{brief(problem['input'])}...")
            said.setdefault(name, f"{name} = {given} is not allowed: it must be {allowed}.")
        else:
            said[name] = str(problem["msg"]).removeprefix("Value error, ")
    return " ".join(said.values())
