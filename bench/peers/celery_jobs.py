"""No-op jobs through Celery: `celery_jobs.py JOBS ROUNDS REDIS`. Redis is broker and result store; two workers, a process each."""
import json
import os
import sys
import time

from celery import Celery, group

redis = os.environ.get("BENCH_REDIS") or sys.argv[3]
app = Celery("celery_jobs", broker=redis, backend=redis)
# What helps it here: tasks are fetched ahead, and acknowledged before they run.
app.conf.update(worker_prefetch_multiplier=64, task_acks_late=False, worker_hijack_root_logger=False)


@app.task(name="echo")
def echo(job):
    return job


def main(jobs, rounds):
    from children import start

    os.environ["BENCH_REDIS"] = redis
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("one", "two"):
        lone = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--pool", "solo", "-n", name]
        start(sys.executable, "-m", "celery", "-A", "celery_jobs", "worker", *lone, cwd=here)
    payload = "x" * 100
    while len(app.control.ping(timeout=0.5)) < 2:
        pass
    group(echo.s(payload) for _ in range(2000)).apply_async().get(timeout=60)
    began = time.perf_counter()
    solved = len(group(echo.s(payload) for _ in range(jobs)).apply_async().get(timeout=300))
    seconds = time.perf_counter() - began
    trips = []
    for _ in range(rounds):
        began = time.perf_counter()
        echo.delay(payload).get(timeout=60)
        trips.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"jobs": jobs, "solved": solved, "seconds": seconds, "trips": trips}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
