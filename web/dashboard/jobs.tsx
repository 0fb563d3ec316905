// Jobs by session and service: all of them, and one.
import { ago, count } from "../parts/numbers.js";
import { Table, type Column } from "../parts/table.js";
import type { Board, JobSet } from "./board.js";
import { ErrorTable } from "./errors.js";
import { Figures } from "./figures.js";
import { pathTo } from "./route.js";

export function Jobs({ board, one }: { readonly board: Board; readonly one: string | undefined }) {
  if (one !== undefined) return <OneSet board={board} number={Number(one)} />;
  return (
    <>
      <div class="head">
        <h1>Jobs</h1>
        <span class="soft">by session and service</span>
      </div>
      <section class="card">
        <JobTable sets={[...board.jobs.values()]} tall />
      </section>
    </>
  );
}

function waitingOf({ submitted, running, solved, unsolved }: JobSet): number {
  return submitted - running - solved - unsolved;
}

function doneOf({ submitted, solved, unsolved }: JobSet): number {
  return submitted === 0 ? 0 : (solved + unsolved) / submitted;
}

function Meter({ set }: { readonly set: JobSet }) {
  return (
    <>
      <span class="meter" aria-hidden="true">
        <span style={{ width: `${100 * doneOf(set)}%` }} />
      </span>
      {Math.floor(100 * doneOf(set))} %
    </>
  );
}

const COLUMNS: readonly Column<JobSet>[] = [
  {
    name: "Session",
    by: ({ session }) => session,
    cell: ({ set, session }) => <a href={pathTo("jobs", String(set))}>{session}</a>,
  },
  { name: "Service", by: ({ service }) => service, cell: ({ service }) => service },
  { name: "Main node", by: ({ client }) => client ?? "", cell: ({ client }) => client ?? "away" },
  { name: "Progress", by: doneOf, cell: (set) => <Meter set={set} /> },
  {
    name: "Submitted",
    number: true,
    by: ({ submitted }) => submitted,
    cell: ({ submitted }) => count(submitted),
  },
  { name: "Waiting", number: true, by: waitingOf, cell: (set) => count(waitingOf(set)) },
  { name: "Running", number: true, by: ({ running }) => running, cell: ({ running }) => count(running) },
  { name: "Solved", number: true, by: ({ solved }) => solved, cell: ({ solved }) => count(solved) },
  { name: "Failed", number: true, by: ({ unsolved }) => unsolved, cell: ({ unsolved }) => count(unsolved) },
  {
    name: "Since",
    by: ({ firstAt }) => firstAt,
    cell: ({ firstAt }) => ago(Date.now() - Date.parse(firstAt)),
  },
];

export function JobTable({ sets, tall }: { readonly sets: readonly JobSet[]; readonly tall?: boolean }) {
  return (
    <Table
      label="Jobs"
      rows={sets}
      columns={COLUMNS}
      keyOf={({ set }) => set}
      empty="Nobody has asked for anything yet."
      tall={tall ?? false}
      sorted={[9, true]}
    />
  );
}

function OneSet({ board, number }: { readonly board: Board; readonly number: number }) {
  const set = board.jobs.get(number);
  if (set === undefined)
    return (
      <p class="empty">
        The hub does not know these jobs (any more). <a href={pathTo("jobs")}>All jobs</a>
      </p>
    );
  return (
    <>
      <div class="head">
        <h1>
          {set.service} for {set.session}
        </h1>
        <span class="soft">asked by {set.client ?? "a main node that is away"}</span>
      </div>
      <section class="card">
        <div class="head">
          <h2>Progress</h2>
          <strong>{Math.floor(100 * doneOf(set))} %</strong>
        </div>
        <span
          class="meter thick"
          role="progressbar"
          aria-label="Jobs that are over"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.floor(100 * doneOf(set))}
        >
          <span style={{ width: `${100 * doneOf(set)}%` }} />
        </span>
      </section>
      <Figures
        figures={[
          { name: "submitted", value: count(set.submitted), figure: "set-submitted" },
          { name: "waiting", value: count(waitingOf(set)), figure: "set-waiting" },
          { name: "running", value: count(set.running), figure: "set-running" },
          { name: "solved", value: count(set.solved), figure: "set-solved" },
          { name: "failed", value: count(set.unsolved), figure: "set-unsolved", bad: set.unsolved > 0 },
        ]}
      />
      <section class="card">
        <div class="head">
          <h2>What went wrong</h2>
        </div>
        <ErrorTable
          board={board}
          errors={board.errors.filter(
            ({ client, service }) => client === set.client && service === set.service,
          )}
        />
      </section>
    </>
  );
}
