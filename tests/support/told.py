"""All that a reaction or a judgement says, to be compared."""

_PARTS = ("customer", "changed", "scores", "decisions", "alerts", "examples", "events")


def told(made):
    """Return it part by part."""
    return {part: getattr(made, part) for part in _PARTS if hasattr(made, part)}
