"""The kind `survey`: answers with a score, and often a comment. The score keeps its own scale."""

from __future__ import annotations

from pipeline.errors import ConfigError, RecordError
from pipeline.records import Draft, Json
from pipeline.settings import SourceSettings
from pipeline.sources import file

SCALES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "smiley": (1.0, 3.0)}


class Source(file.Source):
    def __init__(self, settings: SourceSettings) -> None:
        super().__init__(settings)
        score = settings.options["score"]
        if score not in SCALES:
            raise ConfigError(f"source {settings.name!r} has score {score!r}; it is one of: {', '.join(SCALES)}")
        if "rating" not in self.fields:
            raise ConfigError(f"source {settings.name!r} needs fields.rating: the column that holds the score")
        self.least, self.most = SCALES[score]

    def default_rating_max(self) -> float:
        return self.most

    def draft(self, row: Json) -> Draft:
        draft = super().draft(row)
        if draft.rating is None or not self.least <= draft.rating <= self.most:
            raise RecordError(f"the score must be {self.least:g} to {self.most:g}, not {draft.rating}")
        return draft
