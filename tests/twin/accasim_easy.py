"""Replays a log under EASY backfill with AccaSim: LOG.swf PROCS STARTS.csv.

The machine is one node with as many cores as there are processors, so that processors are counted
and not told apart, as in the replay that this is measured against.
"""

import collections
import collections.abc
import json
import os
import shutil
import sys
import tempfile

# AccaSim imports a name from where Python kept it up to 3.9.
collections.Mapping = collections.abc.Mapping

from accasim.base.allocator_class import FirstFit
from accasim.base.scheduler_class import EASYBackfilling
from accasim.base.simulator_class import Simulator
from accasim.utils.reader_class import DefaultTweaker


class CountedProcessors(DefaultTweaker):
    """Every job asks its processors of the one node."""

    def tweak_function(self, _dict):
        job = super().tweak_function(_dict)
        job["requested_nodes"] = 1
        job["requested_resources"] = {"core": job["core"]}
        return job


def main(log, procs, out):
    with tempfile.TemporaryDirectory() as folder:
        system = os.path.join(folder, "system.json")
        with open(system, "w", encoding="utf-8") as file:
            json.dump({"groups": {"all": {"core": procs}}, "resources": {"all": 1}}, file)
        Simulator(
            log,
            system,
            EASYBackfilling(FirstFit()),
            tweak_function=CountedProcessors(0),
            statistics_output=False,
            show_statistics=False,
            LOG_LEVEL="WARNING",
            RESULTS_FOLDER_PATH=folder,
            SCHEDULE_OUTPUT={
                "format": "{id},{start}",
                "attributes": {"id": ("id", "str"), "start": ("start_time", "int")},
            },
        ).start_simulation()
        shutil.move(os.path.join(folder, "sched-" + os.path.basename(log)), out)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
