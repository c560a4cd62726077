"""What the API answers about models, for its OpenAPI document."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ModelFigures(BaseModel):
    """How good some predictions were: in all, and by _window over the newest 1,000."""

    metrics: dict[str, float]
    calibration: list[tuple[int, float, float]] = Field(
        description="by bin of the prediction: examples, mean prediction, share that came true"
    )
    lift: list[float] = Field(
        description="by tenth, the highest predictions first: 1 is what chance gives"
    )


class ModelFeature(BaseModel):
    """What the served model knows of a feature."""

    name: str
    usual: float = Field(description="the population's mean")
    weight: float = Field(description="logits by standard deviation")


class ModelChange(BaseModel):
    """Something that changed a model, or its drift."""

    kind: str
    offset: int = Field(description="in the model's log")
    at: str
    version: int
    by: str = Field(description='"rule", or who commanded it')
    reason: str
    before: str | None
    after: str | None
    figures: dict[str, float]


class ModelState(BaseModel):
    """A model as its learner reported it last."""

    model: str
    version: int = Field(description="examples learnt, ever, and commands that changed what serves")
    learnt: int = Field(description="by the weights that serve")
    offset: int = Field(description="in the model's log")
    at: str = Field(description="time of the newest label")
    champion: str | None
    horizon: str | None = Field(description="what the label means")
    frozen: bool
    river: str
    figures: dict[str, ModelFigures] = Field(
        description="served: what was predicted then; acted, untouched: of it, by whether an "
        "offer was shown or an alert opened meanwhile; past: what was said of a past while it "
        "was read in, to nobody; else a candidate, or an arm"
    )
    judged_as: str = Field(
        description="whose figures stand for the model: served, or the champion as long as no "
        "label of what was served has come"
    )
    evidence: dict[str, float] = Field(
        description="by challenger; at the threshold it takes over from the champion"
    )
    threshold: float
    drift: dict[str, float]
    drifting: bool
    features: list[ModelFeature]
    kept: list[int] = Field(description="versions that one can roll back to")
    history: list[ModelChange] = Field(description="newest first")


class ModelList(BaseModel):
    """All models."""

    models: list[ModelState]


class ModelPoint(BaseModel):
    """A model's figures at one version."""

    version: int
    at: str
    champion: str | None
    metrics: dict[str, dict[str, float]]


class ModelWithPast(ModelState):
    """A model, and its figures by version, oldest first."""

    past: list[ModelPoint]
