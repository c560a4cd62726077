"""Reading about models: who serves, how good each candidate is, and what changed them."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from models.online.cards import card
from models.reports import Change, Report
from projections.live_models import Models, Point
from projections.serve import model_schemas
from projections.serve.keys import Caller
from projections.serve.problems import ProblemDetails, respond
from projections.serve.written import Json, instant

router = APIRouter(prefix="/v1/models", tags=["models"], responses={401: {"model": ProblemDetails}})
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": ProblemDetails}}


def told(report: Report) -> Json:
    """Return a report as the API tells it."""
    figures = {
        name: {"metrics": one.metrics, "calibration": one.calibration, "lift": one.lift}
        for name, one in report.figures.items()
    }
    features = [{"name": f.name, "usual": f.usual, "weight": f.weight} for f in report.features]
    return {
        "model": report.model,
        "version": report.version,
        "learnt": report.learnt,
        "offset": report.offset,
        "at": instant(report.at_ms),
        "champion": report.champion or None,
        "horizon": report.horizon or None,
        "frozen": report.frozen,
        "river": report.river,
        "figures": figures,
        "judged_as": report.judged_as(),
        "evidence": report.evidence,
        "threshold": report.threshold,
        "drift": report.drift,
        "drifting": report.drifting,
        "features": features,
        "kept": report.kept,
        "history": [changed(change) for change in reversed(report.history)],
    }


def changed(change: Change) -> Json:
    """Return a change of a model as the API tells it."""
    return {
        "kind": change.kind,
        "offset": change.offset,
        "at": instant(change.at_ms),
        "version": change.version,
        "by": change.by,
        "reason": change.reason,
        "before": change.before or None,
        "after": change.after or None,
        "figures": change.figures,
    }


def _past(point: Point) -> Json:
    return {
        "version": point.version,
        "at": instant(point.at_ms),
        "champion": point.champion or None,
        "metrics": point.metrics,
    }


def _models(request: Request) -> Models:
    models: Models = request.app.state.sources.models
    return models


def _unknown(name: str, models: Models) -> Response:
    there = ", ".join(models.names()) or "none has reported yet"
    return respond(404, "not-found", f"no model {name!r}; there are: {there}")


@router.get("", response_model=model_schemas.ModelList)
async def get_models(request: Request, _: Caller) -> Response:
    """Return every model as its learner reported it last."""
    models = _models(request)
    reports = [report for name in models.names() if (report := models.newest(name))]
    body = orjson.dumps({"models": [told(report) for report in reports]})
    return Response(body, media_type="application/json")


@router.get("/{name}", response_model=model_schemas.ModelWithPast, responses=_MISSING)
async def get_model(request: Request, _: Caller, name: str) -> Response:
    """Return one model, and its figures by version."""
    models = _models(request)
    report = models.newest(name)
    if report is None:
        return _unknown(name, models)
    past = [_past(point) for point in models.points(name)]
    return Response(orjson.dumps(told(report) | {"past": past}), media_type="application/json")


@router.get(
    "/{name}/card",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}, **_MISSING},
)
async def get_card(request: Request, _: Caller, name: str) -> Response:
    """Return a model's card: what it predicts, from what, how well, and where it is wrong."""
    models = _models(request)
    report = models.newest(name)
    if report is None:
        return _unknown(name, models)
    return Response(card(report), media_type="text/markdown; charset=utf-8")
