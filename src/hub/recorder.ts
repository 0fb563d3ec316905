// Writes down every event that the scheduler is told, so that a run can be played again: bounded, rotating, without payloads.
import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import type { Logger } from "pino";
import { FlockworkError } from "../ids/index.js";
import {
  RECORD_FORMAT,
  encodeEvent,
  type RecordHead,
  type Scheduler,
  type SchedulerEvent,
} from "../scheduler/index.js";
import { VERSION } from "./version.js";

const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 200;
/** The file and the one before it together. */
const MAX_BYTES = 256 * 1024 * 1024;
const DIGEST_EVERY = 1000;

export class Recorder {
  #fd: number | undefined;
  #buffer: string[] = [];
  #buffered = 0;
  #written = 0;
  #events = 0;
  readonly #timer: NodeJS.Timeout;
  readonly #onCrash: () => void;

  constructor(
    private readonly file: string,
    private readonly scheduler: Scheduler<unknown>,
    private readonly log: Logger,
    private readonly maxBytes = MAX_BYTES,
  ) {
    try {
      this.#fd = openSync(file, "w", 0o600);
    } catch (error) {
      throw new FlockworkError(
        "bad_argument",
        `The recording can not be written to ${file}: ${(error as Error).message}.`,
      );
    }
    this.#head(0);
    this.#timer = setInterval(() => this.flush(), FLUSH_MS).unref();
    this.#onCrash = () => {
      this.flush();
      process.stderr.write(
        `flockwork: what the hub did before this is in ${file}; send it with your report. See it with: flockwork replay ${file}\n`,
      );
    };
    process.on("uncaughtExceptionMonitor", this.#onCrash);
  }

  /** Before the scheduler is told: should it fail, the event is there. */
  event(event: SchedulerEvent<unknown>, now: number): void {
    if (this.#fd === undefined) return;
    if (this.#written + this.#buffered > this.maxBytes / 2) this.#rotate(now);
    this.#line(encodeEvent(event, now));
    this.#events++;
  }

  /** After it has decided. */
  decided(): void {
    if (this.#events % DIGEST_EVERY === 0) this.#digest();
  }

  flush(): void {
    if (this.#fd === undefined || this.#buffer.length === 0) return;
    const text = this.#buffer.join("");
    this.#buffer = [];
    this.#buffered = 0;
    try {
      this.#written += writeSync(this.#fd, text);
    } catch (error) {
      this.#stop(error);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    process.off("uncaughtExceptionMonitor", this.#onCrash);
    if (this.#fd === undefined) return;
    this.#digest();
    this.flush();
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #head(now: number): void {
    const head: RecordHead = {
      flockwork: VERSION,
      format: RECORD_FORMAT,
      now,
      image: this.scheduler.image(),
      digest: this.scheduler.digest(),
    };
    this.#line(JSON.stringify(head));
    this.#events = 0;
  }

  #digest(): void {
    this.#line(JSON.stringify(["digest", this.#events, this.scheduler.digest()]));
  }

  #line(text: string): void {
    this.#buffer.push(text, "\n");
    this.#buffered += text.length + 1;
    if (this.#buffered > FLUSH_BYTES) this.flush();
  }

  /** The file becomes FILE.1, and a new one starts from the scheduler's state as it is now. */
  #rotate(now: number): void {
    this.#digest();
    this.flush();
    try {
      if (this.#fd === undefined) return;
      closeSync(this.#fd);
      this.#fd = undefined;
      renameSync(this.file, `${this.file}.1`);
      this.#fd = openSync(this.file, "w", 0o600);
      this.#written = 0;
      this.#head(now);
    } catch (error) {
      this.#stop(error);
    }
  }

  /** A hub goes on without its recording. */
  #stop(error: unknown): void {
    this.log.warn({ err: error, file: this.file }, "the recording has stopped");
    this.#fd = undefined;
    this.#buffer = [];
  }
}
