"""Reports as rows: a figure each, and what changed the model."""

import msgspec

from models.reports import Change, Figures, Report
from models.topics import MODEL_REPORTS
from projections.tables import project


class Record:
    topic = "model-reports"
    partition, offset, key, headers, timestamp = 0, 7, b"churn", (), 0

    def __init__(self, report):
        self.value = msgspec.json.encode(report)


REPORT = Report(
    report_id="churn:90",
    model="churn",
    version=80,
    learnt=80,
    offset=90,
    at_ms=1_700_000_000_000,
    champion="blend",
    figures={
        "served": Figures(
            metrics={"examples": 80.0, "auc_window": 0.8},
            calibration=[(30, 0.2, 0.25), (50, 0.7, 0.68)],
            lift=[1.8, 1.1],
        )
    },
    evidence={"logit": 2.5},
    threshold=11.0,
    changes=[
        Change(
            change_id="churn:90:promoted",
            model="churn",
            kind="promoted",
            offset=90,
            version=80,
            at_ms=1_700_000_000_000,
            by="rule",
            reason="better",
            before="prior",
            after="blend",
            figures={"evidence": 12.0},
        )
    ],
)


def rows():
    return {
        table.name: [dict(zip(table.names, row, strict=True)) for row in laid_out]
        for table, laid_out in project(MODEL_REPORTS, [Record(REPORT)]).items()
    }


def test_each_figure_is_a_row_under_the_offset_of_its_models_log():
    found = {(one["candidate"], one["metric"]): one for one in rows()["model_metrics"]}
    assert found["served", "auc_window"]["value"] == 0.8
    assert found["served", "calibration_happened"]["series"] == [0.25, 0.68]
    assert found["served", "lift"]["series"] == [1.8, 1.1]
    assert found["logit", "evidence"]["value"] == 2.5
    assert found["blend", "champion"]["value"] == 1.0
    assert found["model", "threshold"]["value"] == 11.0
    places = {(one["model_offset"], one["version"], one["log_offset"]) for one in found.values()}
    assert places == {(90, 80, 7)}


def test_what_changed_a_model_is_a_row_with_who_and_why():
    [change] = rows()["model_changes"]
    assert (change["kind"], change["by"], change["before"], change["after"]) == (
        *("promoted", "rule"),
        *("prior", "blend"),
    )
    assert change["figures"] == {"evidence": 12.0}
