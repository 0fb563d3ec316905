"""No-op jobs through Dask: `dask_jobs.py JOBS ROUNDS`. A scheduler and two workers of one thread, a process each."""
import json
import os
import sys
import tempfile
import time

from distributed import Client

from children import start


def echo(job):
    return job


def main(jobs, rounds):
    with tempfile.TemporaryDirectory() as folder:
        meeting = os.path.join(folder, "scheduler.json")
        quiet = ["--no-dashboard", "--scheduler-file", meeting]
        cli = [sys.executable, "-m"]
        start(*cli, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *quiet, cwd=folder)
        for _ in range(2):
            worker = ["--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--local-directory", folder]
            start(*cli, "distributed.cli.dask_worker", *worker, *quiet, cwd=folder)
        with Client(scheduler_file=meeting, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            payload = bytes(100)
            client.gather(client.map(echo, [payload] * 2000, pure=False))
            began = time.perf_counter()
            futures = client.map(echo, [payload] * jobs, pure=False)
            solved = len(client.gather(futures))
            seconds = time.perf_counter() - began
            del futures
            trips = []
            for _ in range(rounds):
                began = time.perf_counter()
                client.submit(echo, payload, pure=False).result()
                trips.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"jobs": jobs, "solved": solved, "seconds": seconds, "trips": trips}), flush=True)


main(int(sys.argv[1]), int(sys.argv[2]))
