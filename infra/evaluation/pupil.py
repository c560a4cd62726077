"""The stream's own learners as a pupil: an encoder, and the contest of all candidates."""

from __future__ import annotations

from models.online.contest import Contest
from models.online.encoding import Encoder
from models.online.prequential import Row, Said


class Contestants:
    """All candidates, taught by the same rows; who serves is decided as in the stream."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        """Begin untrained. `encoder` is for rows that are not features yet."""
        self.contest = Contest()
        self.encoder = encoder

    @property
    def champion(self) -> str:
        """The candidate that is served now."""
        return self.contest.champion

    def predict_one(self, row: Row) -> Said:
        """Return each candidate's probability for a row."""
        encoder = self.encoder
        seen = row.features if encoder is None else encoder.encode_one(row.features)
        return Said(self.contest.chances(dict(seen)), seen)

    def learn_one(self, row: Row, said: Said) -> None:
        """Learn a row's label, which may bring another candidate to serve."""
        assert row.label is not None
        if self.encoder is not None:
            self.encoder.learn_one(row.features, row.label)
        self.contest.learn_one(dict(said.seen), row.label, row.weight)
