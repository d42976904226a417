"""MLflow as a tracker.

Where it is kept is MLflow's to be asked by: `MLFLOW_TRACKING_URI`, such as `sqlite:///runs.db` or
the address of a server, and `MLFLOW_EXPERIMENT_NAME`. A server that is not there keeps a training
for seconds, unless `MLFLOW_HTTP_REQUEST_MAX_RETRIES` says that it is worth more of them.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mlflow.entities import Metric, Param, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from numpy.typing import NDArray

from .tracker import Begun, Plain

EXPERIMENT = "dreamgym"
MOST_PARAMS = 100  # that a call takes
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
LONGEST = 500  # letters of a parameter, which every store takes


class MlflowRun:
    """A training as one run of an experiment."""

    def __init__(self, begun: Begun) -> None:
        for name, value in PATIENCE.items():
            os.environ.setdefault(name, value)
        self._client = MlflowClient()
        run = self._found(begun)
        self.id: str = run.info.run_id
        self.where = f"{self._client.tracking_uri}, run {self.id}"
        self._known = set(run.data.params)

    def settings(self, settings: Mapping[str, Plain]) -> None:
        """Log parameters; those that are known stay as they were, for MLflow's never change."""
        new = [Param(k, str(v)[:LONGEST]) for k, v in settings.items() if k not in self._known]
        self._known.update(settings)
        for first in range(0, len(new), MOST_PARAMS):
            self._client.log_batch(self.id, params=new[first : first + MOST_PARAMS])

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log a row."""
        now = time.time_ns() // 1_000_000
        rows = [Metric(name, float(value), now, step) for name, value in metrics.items()]
        self._client.log_batch(self.id, metrics=rows)

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Log pictures `[H, W, 3]`."""
        for name, picture in pictures.items():
            self._client.log_image(self.id, picture, key=name, step=step)

    def results(self, step: int, figures: Mapping[str, float]) -> None:
        """Log figures as metrics."""
        self.scalars(step, figures)

    def media(self, step: int, file: Path) -> None:
        """Keep a file among the artifacts."""
        self._client.log_artifact(self.id, str(file))

    def close(self) -> None:
        """Say that the run has ended."""
        self._client.set_terminated(self.id)

    def _found(self, begun: Begun) -> Run:
        """Return the run that goes on, or, where this store has none of it, a new one."""
        if begun.id is not None:
            try:
                self._client.update_run(begun.id, RunStatus.to_string(RunStatus.RUNNING))
                return self._client.get_run(begun.id)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        experiment = self._client.create_experiment(name) if found is None else found.experiment_id
        return self._client.create_run(experiment, run_name=begun.name)
