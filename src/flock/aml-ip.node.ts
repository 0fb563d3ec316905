// AML-IP's nodes of the workload scenario in AML-IP's shapes, for programs and habits that come from there: four thin classes
// over MainNode and ComputingNode, which do the work. docs/from-aml-ip.md has the whole comparison.
import type { JobOptions, MainNodeOptions, Solution } from "../client/index.js";
import { FlockworkError, JobError, type NodeId, type NodeKind, type NodeState } from "../ids/index.js";
import type { ComputingNodeOptions, Job, ServiceContext } from "../node/index.js";
import { Content, encodeContent } from "../wire/index.js";
import { ComputingNode as Worker, MainNode as Main, type JoinOptions } from "./index.node.js";

/** AML-IP has one kind of work; here it is the service of this name, unless another is named. */
const JOB_SERVICE = "job";

/** A job's number at its main node, from 0. */
export type TaskId = number;

export interface SolutionListener {
  solutionReceived(solution: Solution, taskId: TaskId, serverId: NodeId): void;
}
export interface JobListener {
  processJob(job: Job): unknown;
}
export interface JobReplier {
  processJob(job: Job, taskId: TaskId, clientId: NodeId): unknown;
}

/** A listener object, or a function in its place; both or neither is an error. */
export type Heard<Listener, Callback> =
  | { readonly listener: Listener; readonly callback?: undefined }
  | { readonly callback: Callback; readonly listener?: undefined };

interface OfService {
  /** The service that stands for AML-IP's one kind of work. Default "job". */
  readonly service?: string;
}

export type MainOptions = JoinOptions<MainNodeOptions> & OfService;
export type AsyncMainOptions = MainOptions &
  Heard<SolutionListener, SolutionListener["solutionReceived"]> & {
    /** A job that will have no solution, which AML-IP does not know. Absent: an unhandled rejection. */
    readonly onFailed?: (error: JobError, taskId: TaskId) => void;
  };
/** One job at a time, and none before it is asked for: slots and the like are not the caller's. */
export type ComputingOptions = Omit<
  JoinOptions<ComputingNodeOptions>,
  "services" | "slots" | "limit" | "prefetch" | "paused"
> &
  OfService;
export type AsyncComputingOptions = ComputingOptions & Heard<JobReplier, JobReplier["processJob"]>;

/** What MainNode and ComputingNode have in common, under AML-IP's names. */
abstract class AmlIpNode<Inner extends Main | Worker> {
  protected constructor(protected readonly node: Inner) {}

  get id(): NodeId {
    return this.node.id;
  }

  get nodeKind(): NodeKind {
    return this.node.kind;
  }

  get currentState(): NodeState {
    return this.node.state;
  }

  /** Leaves; a computing node finishes its job first. AML-IP's nodes leave when they are destroyed. */
  close(): Promise<void> {
    return this.node.close();
  }
}

/** Sends a job and waits for its solution. */
export class MainNode extends AmlIpNode<Main> {
  readonly #service: string;

  private constructor(node: Main, service: string) {
    super(node);
    this.#service = service;
  }

  static async join({ service = JOB_SERVICE, ...options }: MainOptions = {}): Promise<MainNode> {
    return new MainNode(await Main.join(options), service);
  }

  /** The solution, and the node that computed it. Rejects with a JobError when there will be none. */
  async requestJobSolution(
    job: unknown,
    options: JobOptions = {},
  ): Promise<{ readonly solution: Solution; readonly serverId: NodeId }> {
    const solution = await this.node.request(this.#service, job, options);
    return { solution, serverId: solution.node };
  }
}

/** Sends jobs, and hears of their solutions as they come. */
export class AsyncMainNode extends AmlIpNode<Main> {
  readonly #service: string;
  readonly #heard: SolutionListener["solutionReceived"];
  readonly #onFailed: AsyncMainOptions["onFailed"];
  #closed = false;

  private constructor(
    node: Main,
    service: string,
    heard: SolutionListener["solutionReceived"],
    onFailed: AsyncMainOptions["onFailed"],
  ) {
    super(node);
    this.#service = service;
    this.#heard = heard;
    this.#onFailed = onFailed;
  }

  /** Rejects with `bad_argument` when both or neither of `listener` and `callback` are given. */
  static async join(options: AsyncMainOptions): Promise<AsyncMainNode> {
    const heard = heardBy<"solutionReceived", SolutionListener["solutionReceived"]>(
      options,
      "solutionReceived",
    );
    const { service = JOB_SERVICE, onFailed } = options;
    return new AsyncMainNode(await Main.join(options), service, heard, onFailed);
  }

  /** Returns at once, with the number that the solution will come with. Throws `bad_argument` for what can not travel. */
  requestJobSolution(job: unknown, options: JobOptions = {}): TaskId {
    const content = new Content(encodeContent(job));
    const request = this.node.request(this.#service, content, options);
    const taskId = request.seq;
    void request.then(
      (solution) => this.#heard(solution, taskId, solution.node),
      (error: unknown) => {
        // Whoever closes with jobs under way does not wait for them any more.
        if (this.#closed) return;
        if (this.#onFailed === undefined || !(error instanceof JobError)) throw error;
        this.#onFailed(error, taskId);
      },
    );
    return taskId;
  }

  override close(): Promise<void> {
    this.#closed = true;
    return super.close();
  }
}

/** Serves one job each time it is told to. Between, it is there, but is given nothing. */
export class ComputingNode extends AmlIpNode<Worker> {
  readonly #desk: Desk;

  private constructor(node: Worker, desk: Desk) {
    super(node);
    this.#desk = desk;
    node.closed.then(
      () => desk.end(new FlockworkError("closed", `Computing node ${node.id} is closed; join again.`)),
      (reason: unknown) => desk.end(reason),
    );
  }

  static async join(options: ComputingOptions = {}): Promise<ComputingNode> {
    const desk = new Desk();
    const node = await joinPaused(options, (job, context) => {
      // Before the job is answered, so that no second one is on its way then.
      node.pause();
      return desk.serve(job, context);
    });
    return new ComputingNode(node, desk);
  }

  /**
   * Waits for one job, runs it, and tells who asked. What the callback throws fails the attempt at the main node, and
   * rejects here. Rejects with `bad_argument` when both or neither of `listener` and `callback` are given, or when
   * another call waits; with `closed` when the node leaves before a job comes.
   */
  async processJob(heard: Heard<JobListener, JobListener["processJob"]>): Promise<NodeId> {
    const client = this.#desk.open(heardBy<"processJob", JobListener["processJob"]>(heard, "processJob"));
    this.node.resume();
    return client;
  }
}

/** Serves job after job between run() and stop(). */
export class AsyncComputingNode extends AmlIpNode<Worker> {
  /** Whether a job runs, and who waits for its end. */
  readonly #busy: { runs: boolean; onEnd: (() => void)[] };

  private constructor(node: Worker, busy: { runs: boolean; onEnd: (() => void)[] }) {
    super(node);
    this.#busy = busy;
  }

  /** Rejects with `bad_argument` when both or neither of `listener` and `callback` are given. */
  static async join(options: AsyncComputingOptions): Promise<AsyncComputingNode> {
    const reply = heardBy<"processJob", JobReplier["processJob"]>(options, "processJob");
    const busy: { runs: boolean; onEnd: (() => void)[] } = { runs: false, onEnd: [] };
    const node = await joinPaused(options, async (job, context) => {
      busy.runs = true;
      try {
        return await reply(job, context.seq, context.client);
      } finally {
        busy.runs = false;
        for (const tell of busy.onEnd.splice(0)) tell();
      }
    });
    return new AsyncComputingNode(node, busy);
  }

  /** Takes jobs from now on. Throws `bad_argument` when it does already. */
  run(): void {
    if (!this.node.paused)
      throw new FlockworkError("bad_argument", `Computing node ${this.id} runs already; stop() it first.`);
    this.node.resume();
  }

  /** Takes no more jobs; resolves when the one that runs is answered. Throws `bad_argument` when it is stopped already. */
  stop(): Promise<void> {
    if (this.node.paused)
      throw new FlockworkError("bad_argument", `Computing node ${this.id} does not run; run() it first.`);
    this.node.pause();
    if (!this.#busy.runs) return Promise.resolve();
    return new Promise((resolve) => this.#busy.onEnd.push(resolve));
  }
}

/** Where a call of processJob() waits for the job that it will serve. */
class Desk {
  #waiting:
    | {
        readonly callback: JobListener["processJob"];
        readonly solve: (client: NodeId) => void;
        readonly fail: (error: unknown) => void;
      }
    | undefined = undefined;
  #ended: { readonly reason: unknown } | undefined = undefined;

  open(callback: JobListener["processJob"]): Promise<NodeId> {
    if (this.#ended !== undefined) throw this.#ended.reason;
    if (this.#waiting !== undefined)
      throw new FlockworkError("bad_argument", "processJob() serves one job: await it before the next call.");
    return new Promise((solve, fail) => (this.#waiting = { callback, solve, fail }));
  }

  async serve(job: Job, { client }: ServiceContext): Promise<unknown> {
    const waiting = this.#waiting;
    if (waiting === undefined) throw new Error("a paused node was given a job");
    this.#waiting = undefined;
    try {
      const solution = await waiting.callback(job);
      // Once the node has the solution.
      setTimeout(() => waiting.solve(client), 0);
      return solution;
    } catch (error) {
      waiting.fail(error);
      throw error;
    }
  }

  end(reason: unknown): void {
    this.#ended = { reason };
    this.#waiting?.fail(reason);
    this.#waiting = undefined;
  }
}

function joinPaused(
  { service = JOB_SERVICE, ...options }: ComputingOptions,
  run: (job: Job, context: ServiceContext) => unknown,
): Promise<Worker> {
  return Worker.join({ ...options, services: { [service]: run }, prefetch: false, paused: true });
}

/** The one function that is to hear, whichever way it was given. */
function heardBy<Name extends string, Callback extends (...given: never[]) => unknown>(
  { listener, callback }: Heard<{ readonly [Key in Name]: Callback }, Callback>,
  name: Name,
): Callback {
  if ((listener === undefined) === (callback === undefined))
    throw new FlockworkError(
      "bad_argument",
      `Give either listener, an object with ${name}(), or callback, a function; there ${listener === undefined ? "is neither" : "are both"}.`,
    );
  const heard: unknown = listener === undefined ? callback : listener[name];
  if (typeof heard !== "function")
    throw new FlockworkError(
      "bad_argument",
      listener === undefined
        ? `callback is a ${typeof heard}, not a function.`
        : `The listener has no function ${name}().`,
    );
  return (listener === undefined ? heard : heard.bind(listener)) as Callback;
}
