// Submits on their way to the hub: one that names uploads waits until the hub has them, one that names inputs until those
// have left. Whatever the hub has not acknowledged is sent again after a break.
import { FlockworkError, JobError } from "../ids/index.js";
import type { MessageOf, Transfers, Upload } from "../wire/index.js";

type Submit = MessageOf<"submit">;

interface Departure {
  readonly submit: Submit;
  /** By the index of the payload they bring. */
  uploads: ReadonlyMap<number, Upload>;
  /** It may be sent: all it names is at the hub. */
  ready: boolean;
  /** The hub has it on this link already, and waits for its upload. */
  ahead: boolean;
}

export interface DeparturesHost {
  readonly transfers: Transfers;
  send(submit: Submit): void;
  /** These jobs can not be sent, and why. */
  failed(submit: Submit, error: JobError): void;
}

export class Departures {
  readonly #host: DeparturesHost;
  readonly #unaccepted = new Map<number, Departure>();

  constructor(host: DeparturesHost) {
    this.#host = host;
  }

  /** Sends a submit as soon as what it names is at the hub. */
  add(submit: Submit, uploads: ReadonlyMap<number, Upload>): void {
    const departure: Departure = { submit, uploads, ready: false, ahead: false };
    this.#unaccepted.set(submit.seq, departure);
    for (const upload of uploads.values()) this.#watch(departure, upload);
    this.#goAhead(departure);
    this.#try(departure);
  }

  /** A single job goes ahead of its payload, so that the hub need not wait for the end to begin with it. */
  #goAhead(departure: Departure): void {
    const { submit, uploads } = departure;
    const [upload, ...more] = uploads.values();
    if (upload?.whole === undefined || more.length > 0 || submit.lengths.length > 1 || submit.inputs) return;
    upload.opened = () => {
      if (this.#unaccepted.get(submit.seq) !== departure || departure.ready) return;
      departure.ahead = true;
      this.#host.send(submit);
    };
    if (this.#host.transfers.isOpen(upload)) upload.opened();
  }

  /** The link is down: what was sent may be lost. */
  down(): void {
    for (const departure of this.#unaccepted.values()) departure.ahead = false;
  }

  /** Sends again what may have been lost with a link. */
  resend(): void {
    for (const { ready, submit } of this.#unaccepted.values()) if (ready) this.#host.send(submit);
  }

  accepted(runs: Float64Array): void {
    for (let i = 0; i < runs.length; i += 2) {
      const from = runs[i]!;
      const to = from + runs[i + 1]!;
      for (const [seq, { submit }] of this.#unaccepted)
        if (seq >= from && seq + submit.lengths.length <= to) this.#unaccepted.delete(seq);
    }
  }

  /** The hub does not have the uploads of a submit: true when they can be, and are, sent again. */
  startAnew(seq: number): boolean {
    const departure = this.#unaccepted.get(seq);
    if (departure === undefined || departure.uploads.size === 0) return false;
    const again = new Map<number, Upload>();
    for (const [index, { whole }] of departure.uploads) {
      if (whole === undefined) return false;
      again.set(index, this.#host.transfers.upload(whole));
    }
    this.add(
      { ...departure.submit, streams: [...again].map(([index, { id }]): [number, string] => [index, id]) },
      again,
    );
    return true;
  }

  /** Nobody waits for the answer to this one any more. */
  delete(seq: number): void {
    const departure = this.#unaccepted.get(seq);
    if (departure === undefined) return;
    this.#unaccepted.delete(seq);
    for (const upload of departure.uploads.values()) if (!upload.isKept) this.#host.transfers.cancel(upload);
  }

  /** Whether a submit is here that the hub has not heard of. */
  holds(seq: number): boolean {
    return this.#unaccepted.get(seq)?.ready === false;
  }

  /** Jobs that the hub has not acknowledged. */
  *seqs(): Iterable<number> {
    for (const { seq, lengths } of this.submits()) for (let i = 0; i < lengths.length; i++) yield seq + i;
  }

  *submits(): Iterable<Submit> {
    for (const { submit } of this.#unaccepted.values()) yield submit;
  }

  clear(): void {
    for (const seq of [...this.#unaccepted.keys()]) this.delete(seq);
  }

  #watch(departure: Departure, upload: Upload): void {
    const here = () => this.#unaccepted.get(departure.submit.seq) === departure;
    upload.kept.then(
      () => here() && this.#try(departure),
      (error: unknown) => {
        if (!here()) return;
        const { code, message } =
          error instanceof FlockworkError
            ? error
            : { code: "bad_argument", message: `The job's stream failed: ${String(error)}` };
        this.#fail(departure, new JobError(code, message));
      },
    );
  }

  #try(departure: Departure): void {
    if (departure.ready) return;
    for (const upload of departure.uploads.values()) if (!upload.isKept) return;
    if (departure.submit.inputs?.some((seq) => this.#waitsFor(seq))) return;
    departure.ready = true;
    if (!departure.ahead) this.#host.send(departure.submit);
    // Those that were waiting for it; what comes after a submit may name it as an input, what comes before may not.
    for (const other of this.#dependents(departure.submit)) this.#try(other);
  }

  #waitsFor(seq: number): boolean {
    for (const { submit, ready } of this.#unaccepted.values())
      if (!ready && seq >= submit.seq && seq < submit.seq + submit.lengths.length) return true;
    return false;
  }

  #dependents({ seq, lengths }: Submit): Departure[] {
    return [...this.#unaccepted.values()].filter(({ submit }) =>
      submit.inputs?.some((input) => input >= seq && input < seq + lengths.length),
    );
  }

  #fail(departure: Departure, error: JobError): void {
    const { submit } = departure;
    this.delete(submit.seq);
    this.#host.failed(submit, error);
    for (const other of this.#dependents(submit))
      this.#fail(
        other,
        new JobError(
          "input_failed",
          `Job ${submit.seq}, whose solution was to be an input, failed: ${error.message}`,
        ),
      );
  }
}
